// Weights that are not trained, in files' number formats: their products while a model or an adapter beside them learns. They are
// widened a slab of rows at a time, to bf16 where the processor multiplies it, else to f32; nothing is rounded to int8, as it is
// where a model is only run (kernels/panel_product.h).
#pragma once

#include <span>

#include "tensor/tape.h"

namespace malssi {

// w [N, K] in parts, one below the other, dense or in panels, of any format that can be widened.

// y [M, N] = x [M, K] w^T; both f32 or bf16.
void frozen_product(const Tensor& x, std::span<const Tensor> parts, const Tensor& y);
// dx [M, K] = dy [M, N] w + beta dx. dy f32 or bf16.
void frozen_input_gradient(const Tensor& dy, std::span<const Tensor> parts, const GradSink& dx);

// Rows first .. first + count - 1 of w, of any such format and layout, in f32; first is a multiple of 32.
Tensor widened(const Tensor& w, int64_t first, int64_t count);

}  // namespace malssi
