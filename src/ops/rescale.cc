#include "ops/rescale.h"

#include <vector>

#include "base/parallel.h"
#include "kernels/gemm.h"
#include "kernels/table.h"
#include "tensor/tape.h"

namespace malssi {
namespace {

constexpr int64_t kGrain = 32768;  // numbers for a thread

float load(const Tensor& t, int64_t i) {
  return t.dtype() == DType::f32 ? t.f32()[i] : static_cast<float>(t.bf16s()[i]);
}

void store(const Tensor& t, int64_t i, float x) {
  if (t.dtype() == DType::f32)
    t.f32()[i] = x;
  else
    t.bf16s()[i] = static_cast<bf16>(x);
}

// f(i, column, place in t) for every number of the rows in use.
template <class F>
void each(const Tensor& t, std::span<const int32_t> rows, int64_t first, int64_t count, F&& f) {
  const int64_t D = t.dim(1), n = static_cast<int64_t>(rows.size());
  parallel_for(n, std::max<int64_t>(1, kGrain / std::max<int64_t>(count, 1)),
               [&](int64_t begin, int64_t end) {
                 for (int64_t i = begin; i < end; ++i)
                   for (int64_t j = 0; j < count; ++j)
                     f(i, j, rows[static_cast<size_t>(i)] * D + first + j);
               });
}

// sum[j] = beta sum[j] + sum over rows of term(i, j, place): in this order, whatever the threads.
template <class F>
void sum_rows(const GradSink& sink, const Tensor& t, std::span<const int32_t> rows, int64_t first,
              F&& term) {
  const int64_t D = t.dim(1), count = sink.target.size(), n = static_cast<int64_t>(rows.size());
  parallel_for(count, std::max<int64_t>(1, kGrain / std::max<int64_t>(n, 1)),
               [&](int64_t begin, int64_t end) {
                 for (int64_t j = begin; j < end; ++j) {
                   float sum = sink.beta == 0 ? 0 : sink.target.f32()[j];
                   for (int64_t i = 0; i < n; ++i)
                     sum += term(i, j, rows[static_cast<size_t>(i)] * D + first + j);
                   sink.target.f32()[j] = sum;
                 }
               });
}

struct KeptRows {
  std::vector<int32_t> rows;
  std::vector<float> weights;

  explicit KeptRows(const WeighedRows& use)
      : rows(use.rows.begin(), use.rows.end()), weights(use.weights.begin(), use.weights.end()) {}
  float weight(int64_t i) const { return weights[static_cast<size_t>(i)]; }
};

void check_columns(const Tensor& x, int64_t first, int64_t count, const WeighedRows& use) {
  CHECK(x.shape().rank() == 2 && first >= 0 && first + count <= x.dim(1) &&
            use.rows.size() == use.weights.size(),
        count, " columns at ", first, " of ", x.shape());
  for (const int32_t row : use.rows)
    CHECK(row >= 0 && row < x.dim(0), "row ", row, " of ", x.shape());
}

}  // namespace

Tensor scaled_columns(const Tensor& x, const Tensor& factors, const WeighedRows& use,
                      int64_t first) {
  const int64_t count = factors.size();
  check_columns(x, first, count, use);
  const KeptRows kept(use);
  const auto scale = [kept, factors, first, count](const Tensor& t) {
    each(t, kept.rows, first, count, [&](int64_t i, int64_t j, int64_t at) {
      store(t, at, load(t, at) * (1 + kept.weight(i) * (factors.f32()[j] - 1)));
    });
  };
  Tensor y = x.clone();
  y.set_slot(nullptr);
  scale(y);
  if (!recording({x, factors})) return y;
  record("scaled_columns", {x, factors}, y, [=](const Tensor& dy, Grads& grads) {
    if (const GradSink sink = grads.into(1); sink.target)
      sum_rows(sink, dy, kept.rows, first, [&](int64_t i, int64_t, int64_t at) {
        return kept.weight(i) * load(dy, at) * load(x, at);
      });
    scale(dy);
    grads.give(0, dy);
  });
  return y;
}

Tensor rescaled_in_place(const Tensor& y, const Tensor& low, const Rescaling& by,
                         const WeighedRows& use) {
  const int64_t count = by.magnitude.size(), first = by.first;
  check_columns(y, first, count, use);
  CHECK(low.dim(1) == count && by.inverse_norms.size() == count);
  const KeptRows kept(use);
  const Tensor gains = Tensor::empty({count}), inverse = by.inverse_norms;
  for (int64_t j = 0; j < count; ++j) gains.f32()[j] = by.magnitude.f32()[j] * inverse.f32()[j];
  const bool keeps = Tape::current() != nullptr && by.magnitude.wants_grad();
  const Tensor whole = keeps ? Tensor::empty(low.shape()) : Tensor();  // (W + s B A) x
  each(y, kept.rows, first, count, [&](int64_t i, int64_t j, int64_t at) {
    const float old = load(y, at), plain = by.bias ? old - by.bias.f32()[first + j] : old;
    const float sum = plain + low.f32()[i * count + j];
    if (keeps) whole.f32()[i * count + j] = sum;
    store(y, at, old + kept.weight(i) * (gains.f32()[j] * sum - plain));
  });
  Tensor result = y;
  result.set_slot(nullptr);
  if (!recording({y, low, by.magnitude})) return result;
  record("rescaled", {y, low, by.magnitude}, result, [=](const Tensor& dy, Grads& grads) {
    if (const GradSink sink = grads.into(2); sink.target)
      sum_rows(sink, dy, kept.rows, first, [&](int64_t i, int64_t j, int64_t at) {
        return kept.weight(i) * load(dy, at) * whole.f32()[i * count + j] * inverse.f32()[j];
      });
    const Tensor dlow = Tensor::empty({static_cast<int64_t>(kept.rows.size()), count});
    each(dy, kept.rows, first, count, [&](int64_t i, int64_t j, int64_t at) {
      const float d = load(dy, at), weight = kept.weight(i), gain = gains.f32()[j];
      dlow.f32()[i * count + j] = weight * gain * d;
      store(dy, at, d * (1 + weight * (gain - 1)));
    });
    grads.give(1, dlow);
    grads.give(0, dy);
  });
  return result;
}

Tensor linear_of_dropped(const Tensor& x, const Tensor& w, const DropoutOptions& options) {
  const int64_t M = x.dim(0), N = w.dim(0), K = w.dim(1);
  const auto dropped = [x, w, options] {
    const NoTape untaped;
    return dropout(x, options).to(w.dtype());
  };
  const auto in = [](const Tensor& t) { return ConstBuffer{t.data(), t.dtype()}; };
  Tensor y = Tensor::empty({M, N});
  gemm(in(dropped()), in(w), {y.data(), y.dtype()}, M, N, K, {.transpose_b = true});
  if (!recording({x, w})) return y;
  record("linear_of_dropped", {x, w}, y, [=](const Tensor& dy, Grads& grads) {
    const Tensor dys = dy.to(w.dtype());
    if (const auto [dw, beta] = grads.into(1); dw)
      gemm(in(dys), in(dropped()), {dw.data(), dw.dtype()}, N, K, M,
           {.transpose_a = true, .beta = beta});
    const auto [dx, beta] = grads.into(0);
    if (!dx) return;
    const Tensor through = Tensor::empty({M, K});
    gemm(in(dys), in(w), {through.data(), through.dtype()}, M, K, N);
    kernels().residual_add_backward(through.f32(), {dx.data(), dx.dtype()}, beta, dx.size(),
                                    {options.rate, options.seed});
  });
  return y;
}

}  // namespace malssi
