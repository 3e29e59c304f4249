// Weights that are not trained, in files' number formats: what a product with them gives back to its inputs.
#pragma once

#include <span>

#include "tensor/tape.h"

namespace malssi {

// dx [M, K] = dy [M, N] w + beta dx. dy f32 or bf16; w [N, K] in parts, one below the other, dense or in panels, of any format that
// can be widened. They are widened a slab of rows at a time, to bf16 where the processor multiplies it, else to f32.
void frozen_input_gradient(const Tensor& dy, std::span<const Tensor> parts, const GradSink& dx);

}  // namespace malssi
