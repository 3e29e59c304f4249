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
  const bool exact = kind == GeluKind::exact;
  Tensor y = Tensor::empty(x.shape(), x.dtype());
  kernels().gelu({x.data(), x.dtype()}, {y.data(), y.dtype()}, x.size(), exact);
  if (!recording({x})) return y;
  record("gelu", {x}, y, [x, exact](const Tensor& dy, Grads& grads) {
    const Tensor dx = Tensor::empty(x.shape(), x.dtype());
    kernels().gelu_backward({dy.data(), dy.dtype()}, {x.data(), x.dtype()}, {dx.data(), dx.dtype()},
                            x.size(), exact);
    grads.give(0, dx);
  });
  return y;
}

}  // namespace malssi
