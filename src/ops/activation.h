// Activations of the MLP.
#pragma once

#include "tensor/tensor.h"

namespace malssi {

// gate_up [N, 2F], gates first -> silu(gate) * up [N, F]. Shazeer 2020.
Tensor swiglu(const Tensor& gate_up);

// The same with gelu(gate), the form with tanh.
Tensor geglu(const Tensor& gate_up);

enum class GeluKind { tanh, exact };
// Elementwise. Hendrycks, Gimpel 2016.
Tensor gelu(const Tensor& x, GeluKind kind);
Tensor relu(const Tensor& x);
// factor x, of x's dtype, f32 or bf16; x itself when the factor is 1.
Tensor scaled(const Tensor& x, float factor);

}  // namespace malssi
