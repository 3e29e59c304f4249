// A tensor times a constant: what a temperature does to the hidden states in front of the output layer.
#pragma once

#include "tensor/tensor.h"

namespace malssi {

// x f32 or bf16 -> factor * x, of x's dtype. Returns x itself when the factor is 1.
Tensor scaled(const Tensor& x, float factor);

}  // namespace malssi
