#include "ops/activation.h"

#include "kernels/table.h"
#include "tensor/tape.h"

namespace malssi {

Tensor swiglu(const Tensor& gate_up) {
  REQUIRE(gate_up.shape().rank() == 2 && gate_up.dim(1) % 2 == 0, "swiglu: ", gate_up.shape(),
          " is not [N, 2F]");
  const int64_t N = gate_up.dim(0), F = gate_up.dim(1) / 2;
  Tensor y = Tensor::empty({N, F}, gate_up.dtype());
  kernels().swiglu({gate_up.data(), gate_up.dtype()}, {y.data(), y.dtype()}, N, F);
  if (!recording({gate_up})) return y;
  record("swiglu", {gate_up}, y, [gate_up, N, F](const Tensor& dy, Grads& grads) {
    const Tensor dx = Tensor::empty(gate_up.shape(), gate_up.dtype());
    kernels().swiglu_backward({dy.data(), dy.dtype()}, {gate_up.data(), gate_up.dtype()},
                              {dx.data(), dx.dtype()}, N, F);
    grads.give(0, dx);
  });
  return y;
}

Tensor gelu(const Tensor& x, GeluKind kind) {
  const bool exact = kind == GeluKind::exact, records = recording({x});
  Tensor y = Tensor::empty(x.shape(), x.dtype());
  // Kept instead of x: the backward pass then has no tanh to take again.
  const Tensor slope = records ? Tensor::empty(x.shape(), x.dtype()) : Tensor();
  kernels().gelu({x.data(), x.dtype()}, {y.data(), y.dtype()}, {slope.data(), slope.dtype()},
                 x.size(), exact);
  if (!records) return y;
  record("gelu", {x}, y, [slope](const Tensor& dy, Grads& grads) {
    const Tensor dx = Tensor::empty(slope.shape(), slope.dtype());
    kernels().multiply({dy.data(), dy.dtype()}, {slope.data(), slope.dtype()},
                       {dx.data(), dx.dtype()}, dx.size());
    grads.give(0, dx);
  });
  return y;
}

}  // namespace malssi
