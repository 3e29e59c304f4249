#include "ops/linear.h"

#include "kernels/gemm.h"
#include "kernels/table.h"
#include "tensor/tape.h"

namespace malssi {
namespace {

constexpr int64_t kFewRows = 8;  // up to here reading the weights once is all that matters

ConstBuffer in(const Tensor& t) { return {t.data(), t.dtype()}; }
Buffer out(const Tensor& t) { return {t.data(), t.dtype()}; }

void product(const Tensor& x, const Tensor& w, const Tensor& y) {
  const int64_t N = w.dim(0), K = w.dim(1), M = x.size() / K;
  if (M <= kFewRows && Tape::current() == nullptr) {
    const Tensor wide = x.to(DType::f32);
    const Tensor result = y.dtype() == DType::f32 ? y : Tensor::empty(y.shape());
    kernels().few_rows_product(wide.f32(), in(w), result.f32(), M, N, K);
    if (result.data() != y.data()) y.copy_from(result);
    return;
  }
  gemm(in(x.to(w.dtype())), in(w), out(y), M, N, K, {.transpose_b = true});
}

}  // namespace

Tensor linear(const Tensor& x, const Tensor& w, const LinearOptions& options) {
  REQUIRE(w.shape().rank() == 2 && x.shape().rank() >= 1 && x.dim(-1) == w.dim(1), "linear: x ",
          x.shape(), " does not fit weight ", w.shape(), ": last axes differ");
  const int64_t N = w.dim(0), K = w.dim(1), M = x.size() / K;
  Tensor y = Tensor::empty(x.shape().with_last(N), options.out.value_or(w.dtype()));
  if (M == 0) return y;
  product(x, w, y);
  const Tensor bias = options.bias;
  if (bias.defined()) kernels().add_bias(out(y), bias.f32(), M, N);
  if (!recording({x, w})) return y;
  record("linear", {x, w, bias}, y, [x, w, M, N, K](const Tensor& dy, Grads& grads) {
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
