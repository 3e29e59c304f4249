// Columns of some rows multiplied by trained factors: what IA3 and DoRA need of a linear layer.
#pragma once

#include <cstdint>
#include <span>

#include "ops/residual.h"
#include "tensor/tensor.h"

namespace malssi {

// Rows of a pass and how much each takes part.
struct WeighedRows {
  std::span<const int32_t> rows;   // ascending
  std::span<const float> weights;  // of each
};

// x [N, D] f32 or bf16, factors f32 [n] -> a copy with x[row, first + j] (1 + weight (factors[j] - 1)) in these rows.
// Liu et al. 2022 (IA3). Throws InternalError where columns are not x's.
Tensor scaled_columns(const Tensor& x, const Tensor& factors, const WeighedRows& use,
                      int64_t first);

// What DoRA (Liu et al. 2024, equation 5) makes of a product's columns.
struct Rescaling {
  Tensor magnitude;  // f32 [n]
  Tensor
      inverse_norms;  // f32 [n], 1 / |W + s B A| of each row: a constant to the gradient, as in PEFT
  Tensor bias;        // of the layer, f32 [D], or undefined
  int64_t first = 0;  // column where they begin
};
// y [N, D] = W x + bias, f32 or bf16; low f32 [n rows, n] = s B A x of the rows in use. With g = magnitude inverse_norms the rows'
// columns become y + weight (g (W x + low) - W x), IN PLACE: y itself must not be used afterwards, only the result.
Tensor rescaled_in_place(const Tensor& y, const Tensor& low, const Rescaling& by,
                         const WeighedRows& use);

// dropout(x) w^T in f32. Keeps x alone for the backward pass, which drops the same numbers again: layers that share x keep one
// copy of it.
Tensor linear_of_dropped(const Tensor& x, const Tensor& w, const DropoutOptions& dropout);

}  // namespace malssi
