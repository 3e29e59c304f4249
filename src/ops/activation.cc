#include "ops/activation.h"

#include "kernels/table.h"
#include "tensor/tape.h"

namespace malssi {

namespace {

using Glu = void (*)(ConstBuffer gate_up, Buffer y, int64_t N, int64_t F);
using GluBackward = void (*)(ConstBuffer dy, ConstBuffer gate_up, Buffer dgate_up, int64_t N,
                             int64_t F);

Tensor glu(const char* name, const Tensor& gate_up, Glu forward, GluBackward backward) {
  REQUIRE(gate_up.shape().rank() == 2 && gate_up.dim(1) % 2 == 0, name, ": ", gate_up.shape(),
          " is not [N, 2F]");
  const int64_t N = gate_up.dim(0), F = gate_up.dim(1) / 2;
  Tensor y = Tensor::empty({N, F}, gate_up.dtype());
  forward({gate_up.data(), gate_up.dtype()}, {y.data(), y.dtype()}, N, F);
  if (!recording({gate_up})) return y;
  record(name, {gate_up}, y, [gate_up, backward, N, F](const Tensor& dy, Grads& grads) {
    // In place of the inputs where nobody else wants them: they are the most that a block keeps.
    Tensor dx = gate_up.owns_alone() ? gate_up : Tensor::empty(gate_up.shape(), gate_up.dtype());
    dx.set_slot(nullptr);
    backward({dy.data(), dy.dtype()}, {gate_up.data(), gate_up.dtype()}, {dx.data(), dx.dtype()}, N,
             F);
    grads.give(0, dx);
  });
  return y;
}

// Records y = f(x), of which the derivative is kept instead of x: the backward pass then has no tanh to take again.
void record_slope(const char* name, const Tensor& x, Tensor& y, const Tensor& slope) {
  record(name, {x}, y, [slope](const Tensor& dy, Grads& grads) {
    const Tensor dx = Tensor::empty(slope.shape(), slope.dtype());
    kernels().multiply({dy.data(), dy.dtype()}, {slope.data(), slope.dtype()},
                       {dx.data(), dx.dtype()}, dx.size());
    grads.give(0, dx);
  });
}

Tensor slope_for(const Tensor& x) {
  return recording({x}) ? Tensor::empty(x.shape(), x.dtype()) : Tensor();
}

Tensor times(const Tensor& x, float factor) {
  const Tensor y = Tensor::empty(x.shape());
  kernels().scale(x.to(DType::f32).f32(), y.f32(), factor, x.size());
  return y.to(x.dtype());
}

}  // namespace

Tensor swiglu(const Tensor& gate_up) {
  return glu("swiglu", gate_up, kernels().swiglu, kernels().swiglu_backward);
}

Tensor geglu(const Tensor& gate_up) {
  return glu("geglu", gate_up, kernels().geglu, kernels().geglu_backward);
}

Tensor gelu(const Tensor& x, GeluKind kind) {
  Tensor y = Tensor::empty(x.shape(), x.dtype());
  const Tensor slope = slope_for(x);
  kernels().gelu({x.data(), x.dtype()}, {y.data(), y.dtype()}, {slope.data(), slope.dtype()},
                 x.size(), kind == GeluKind::exact);
  record_slope("gelu", x, y, slope);
  return y;
}

Tensor relu(const Tensor& x) {
  Tensor y = Tensor::empty(x.shape(), x.dtype());
  const Tensor slope = slope_for(x);
  kernels().relu({x.data(), x.dtype()}, {y.data(), y.dtype()}, {slope.data(), slope.dtype()},
                 x.size());
  record_slope("relu", x, y, slope);
  return y;
}

Tensor scaled(const Tensor& x, float factor) {
  if (factor == 1) return x;
  Tensor y = times(x, factor);
  record("scaled", {x}, y,
         [factor](const Tensor& dy, Grads& grads) { grads.give(0, times(dy, factor)); });
  return y;
}

}  // namespace malssi
