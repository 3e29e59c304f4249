#include "ops/residual.h"

#include "kernels/table.h"
#include "tensor/tape.h"

namespace malssi {

Tensor residual_add(const Tensor& x, const Tensor& delta, const DropoutOptions& dropout) {
  REQUIRE(x.size() == delta.size(), "residual_add: ", x.shape(), " and ", delta.shape(), " differ");
  Tensor y = Tensor::empty(x.shape());
  const Dropout d{dropout.rate, dropout.seed};
  kernels().residual_add(x.f32(), {delta.data(), delta.dtype()}, y.f32(), x.size(), d);
  if (!recording({x, delta})) return y;
  record("residual_add", {x, delta}, y, [d](const Tensor& dy, Grads& grads) {
    if (const auto [ddelta, beta] = grads.into(1); ddelta)
      kernels().residual_add_backward(dy.f32(), {ddelta.data(), ddelta.dtype()}, beta, dy.size(),
                                      d);
    grads.give(0, dy);
  });
  return y;
}

Tensor dropout(const Tensor& x, const DropoutOptions& options) {
  REQUIRE(options.rate >= 0 && options.rate < 1, "dropout: the rate is ", options.rate,
          "; expected 0 <= rate < 1");
  if (options.rate == 0) return x;
  Tensor y = Tensor::empty(x.shape(), x.dtype());
  const Dropout d{options.rate, options.seed};
  const auto masked = [d](const Tensor& from, const Tensor& to, float beta) {
    const Tensor wide = from.to(DType::f32);
    kernels().residual_add_backward(wide.f32(), {to.data(), to.dtype()}, beta, to.size(), d);
  };
  masked(x, y, 0);
  if (!recording({x})) return y;
  record("dropout", {x}, y, [masked](const Tensor& dy, Grads& grads) {
    if (const auto [dx, beta] = grads.into(0); dx) masked(dy, dx, beta);
  });
  return y;
}

}  // namespace malssi
