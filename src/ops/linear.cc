#include "ops/linear.h"

#include <vector>

#include "kernels/gemm.h"
#include "kernels/panel_product.h"
#include "kernels/table.h"
#include "ops/frozen.h"
#include "ops/linear_watch.h"
#include "tensor/tape.h"

namespace malssi {
namespace {

ConstBuffer in(const Tensor& t) { return {t.data(), t.dtype()}; }
Buffer out(const Tensor& t) { return {t.data(), t.dtype()}; }

bool is_trainable(DType dtype) { return dtype == DType::f32 || dtype == DType::bf16; }

void check_fit(const Tensor& x, const Tensor& w) {
  REQUIRE(w.shape().rank() == 2 && x.shape().rank() >= 1 && x.dim(-1) == w.dim(1), "linear: x ",
          x.shape(), " does not fit weight ", w.shape(), ": last axes differ");
}

}  // namespace

Tensor linear(const Tensor& x, std::span<const Tensor> parts, const LinearOptions& options) {
  CHECK(!parts.empty(), "linear: no weights");
  if (Tape::current() == nullptr) LinearWatch::show(x, parts);
  int64_t N = 0;
  std::vector<WeightRows> rows;
  for (const Tensor& w : parts) {
    check_fit(x, w);
    rows.push_back({w.data(), w.dtype(), w.dim(0), w.layout()});
    N += w.dim(0);
  }
  const DType natural = is_trainable(parts.front().dtype()) ? parts.front().dtype() : x.dtype();
  Tensor y = Tensor::empty(x.shape().with_last(N), options.out.value_or(natural));
  const int64_t K = x.dim(-1);
  const int64_t M = x.size() / K;
  if (Tape::current() == nullptr) {
    panel_product(in(x), rows, options.bias ? options.bias.f32() : nullptr, out(y), M, K);
    return y;
  }
  frozen_product(x, parts, y);
  if (options.bias) kernels().add_bias(out(y), options.bias.f32(), M, N);
  if (!recording({x})) return y;
  record("frozen_linear", {x}, y,
         [kept = std::vector<Tensor>(parts.begin(), parts.end())](const Tensor& dy, Grads& grads) {
           frozen_input_gradient(dy, kept, grads.into(0));
         });
  return y;
}

Tensor linear(const Tensor& x, const Tensor& w, const LinearOptions& options) {
  if (Tape::current() == nullptr) return linear(x, {&w, 1}, options);
  check_fit(x, w);
  REQUIRE(is_trainable(w.dtype()), "linear: weights in ", dtype_name(w.dtype()),
          " cannot be trained: convert the model to f32 or bf16 first");
  const int64_t N = w.dim(0), K = w.dim(1), M = x.size() / K;
  Tensor y = Tensor::empty(x.shape().with_last(N), options.out.value_or(w.dtype()));
  if (M == 0) return y;
  gemm(in(x.to(w.dtype())), in(w), out(y), M, N, K, {.transpose_b = true});
  const Tensor bias = options.bias;
  if (bias.defined()) kernels().add_bias(out(y), bias.f32(), M, N);
  if (!recording({x, w})) return y;
  const Tensor kept = w.wants_grad() ? x : Tensor();  // a frozen weight needs no x
  record("linear", {x, w, bias}, y, [x = kept, w, M, N, K](const Tensor& dy, Grads& grads) {
    const Tensor dys = dy.to(w.dtype());
    if (const auto [db, beta] = grads.into(2); db)
      kernels().bias_backward(in(dy), db.f32(), beta, M, N);
    if (const auto [dx, beta] = grads.into(0); dx)
      gemm(in(dys), in(w), out(dx), M, K, N, {.beta = beta});
    if (const auto [dw, beta] = grads.into(1); dw)
      gemm(in(dys), in(x.to(w.dtype())), out(dw), N, K, M, {.transpose_a = true, .beta = beta});
  });
  return y;
}

}  // namespace malssi
