#include "ops/head_pass.h"

#include <algorithm>

#include "base/error.h"
#include "kernels/gemm.h"
#include "kernels/panel_product.h"
#include "kernels/table.h"
#include "ops/frozen.h"

namespace malssi {
namespace {

constexpr int64_t kLogitsAtOnce = int64_t{16} << 20;     // 64 MiB of f32
constexpr int64_t kGradientsAtOnce = int64_t{64} << 20;  // 128 MiB of bf16
constexpr int64_t kFrozenAtOnce = int64_t{4} << 20;      // 16 MiB of f32
constexpr int64_t kFrozenRows = 128;                     // at least: fewer are multiplied slowly

ConstBuffer in(const Tensor& t) { return {t.data(), t.dtype()}; }
Buffer out(const Tensor& t) { return {t.data(), t.dtype()}; }

// Rows of a chunk, when a chunk may have `most` numbers: chunks as equal as whole multiples of 32 allow.
int64_t chunk_rows(int64_t N, int64_t V, int64_t most) {
  const int64_t chunks = std::max<int64_t>(1, (N * V + most - 1) / most);
  const int64_t rows = (N + chunks - 1) / chunks;
  return std::min(N, (rows + 31) / 32 * 32);
}

bool is_dense(const Tensor& w) { return w.dtype() == DType::f32 || w.dtype() == DType::bf16; }

// logits [x's rows, V] = x w^T; of weights in other formats what learns sees their own numbers, what is only run products that
// round x to int8.
void output_layer(const Tensor& x, const Tensor& w, const Tensor& logits, bool train) {
  const int64_t V = w.dim(0), D = w.dim(1);
  if (train && is_dense(w))
    return gemm(in(x), in(w), out(logits), x.dim(0), V, D, {.transpose_b = true});
  if (train) return frozen_product(x, {&w, 1}, logits);
  const WeightRows rows{w.data(), w.dtype(), V, w.layout()};
  panel_product(in(x), {&rows, 1}, nullptr, out(logits), x.dim(0), D);
}

void row_losses(const HeadPass& pass, const LogitRows& rows) {
  if (pass.loss) return pass.loss(rows);
  kernels().cross_entropy(rows.logits, pass.targets.data() + rows.begin,
                          pass.weights.data() + rows.begin, rows.scale, rows.losses, rows.dlogits,
                          rows.count, pass.w.dim(0));
}

}  // namespace

void check_head(const char* name, const HeadPass& pass) {
  const int64_t N = pass.h.dim(0), V = pass.w.dim(0);
  REQUIRE(pass.w.dim(1) == pass.h.dim(1) && static_cast<int64_t>(pass.targets.size()) == N &&
              static_cast<int64_t>(pass.weights.size()) == N,
          name, ": h ", pass.h.shape(), ", weight ", pass.w.shape(), ", ", pass.targets.size(),
          " targets and ", pass.weights.size(), " weights do not fit together");
  for (int32_t t : pass.targets)
    REQUIRE(t < V, name, ": target ", t, " is outside the vocabulary of ", V);
}

std::vector<float> head_losses(const HeadPass& pass, const HeadGradients* gradients) {
  const bool train = gradients != nullptr;
  const Tensor& w = pass.w;
  const int64_t N = pass.h.dim(0), D = pass.h.dim(1), V = w.dim(0);
  const bool dense = train && is_dense(w);
  CHECK(!train || dense || !gradients->dw.target, "a gradient of a weight in ",
        dtype_name(w.dtype()));
  const Tensor x = dense ? pass.h.to(w.dtype()) : pass.h;
  // The gradient of the weight wants long sums, the logits in f32 little memory.
  const bool frozen = train && !gradients->dw.target;
  const int64_t most = frozen ? std::max(kFrozenAtOnce, kFrozenRows * V) : kLogitsAtOnce;
  const int64_t long_rows = chunk_rows(N, V, frozen ? most : kGradientsAtOnce);
  const int64_t rows = chunk_rows(long_rows, V, most);
  const Tensor logits = Tensor::empty({rows, V});
  const Tensor dlogits = train ? Tensor::empty({long_rows, V}, x.dtype()) : Tensor();
  std::vector<float> losses(static_cast<size_t>(N));
  for (int64_t first = 0; first < N; first += long_rows) {
    const int64_t last = std::min(N, first + long_rows);
    for (int64_t begin = first; begin < last; begin += rows) {
      const int64_t end = std::min(begin + rows, last), count = end - begin;
      output_layer(x.rows(begin, end), w, logits.rows(0, count), train);
      if (pass.softcap > 0) kernels().softcap(logits.f32(), pass.softcap, count * V);
      const Tensor part = train ? dlogits.rows(begin - first, end - first) : Tensor();
      row_losses(pass, {.logits = logits.f32(),
                        .begin = begin,
                        .count = count,
                        .scale = train ? gradients->scale : 1.0f,
                        .losses = losses.data() + begin,
                        .dlogits = {part.data(), part.dtype()}});
      if (train && pass.softcap > 0)
        kernels().softcap_backward(logits.f32(), out(part), pass.softcap, count * V);
      if (dense && gradients->dh)
        gemm(in(part), in(w), out(gradients->dh.rows(begin, end)), count, D, V);
    }
    if (train && !dense && gradients->dh)
      frozen_input_gradient(dlogits.rows(0, last - first), {&w, 1},
                            {gradients->dh.rows(first, last), 0});
    if (train && gradients->dw.target)
      gemm(in(dlogits), in(x.rows(first, last)), out(gradients->dw.target), V, D, last - first,
           {.transpose_a = true, .beta = first > 0 ? 1 : gradients->dw.beta});
  }
  return losses;
}

Tensor head_loss(const char* name, const HeadPass& pass, float scale,
                 std::vector<float>* token_losses) {
  const Tensor &h = pass.h, &w = pass.w;
  const bool train = recording({h, w});
  const Tensor dh = train ? Tensor::empty(h.shape(), h.dtype()) : Tensor();
  GradSink dw;
  if (train && w.wants_grad()) dw = Grads({w.slot()}).into(0);
  const HeadGradients gradients{.scale = scale, .dh = dh, .dw = dw};
  std::vector<float> losses = head_losses(pass, train ? &gradients : nullptr);
  double sum = 0;
  for (const float loss : losses) sum += loss;
  if (token_losses != nullptr) *token_losses = std::move(losses);
  Tensor result = Tensor::full({1}, static_cast<float>(sum * scale));
  if (!train) return result;
  record(name, {h, w}, result, [dh, name](const Tensor& seed, Grads& grads) {
    CHECK(seed.f32()[0] == 1.0f, name, ": its gradients were computed for a seed of 1");
    grads.give(0, dh);
  });
  return result;
}

}  // namespace malssi
