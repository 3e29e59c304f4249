// Products with weights as files hold them: y [M, N] = x [M, K] w [N, K]^T, for inference. Each weight is read once for all
// rows of x, in panels of 32 rows that a core unpacks into its cache: block formats as int8, times activations rounded to
// int8 in groups of 32; bf16 as bf16 where the processor multiplies it; everything else as f32.
// An element of y depends on its own row of x alone: the same sums in the same order whatever M is.
#pragma once

#include <cstdint>
#include <span>

#include "kernels/table.h"

namespace malssi {

// Some rows of a weight matrix; a matrix may be made of parts that differ in dtype.
struct WeightRows {
  const void* data = nullptr;  // rows of K numbers, dense
  DType dtype = DType::f32;
  int64_t rows = 0;
};

// x f32 or bf16 [M, K]; y f32 or bf16 [M, N], N the sum of the parts' rows; bias f32 [N] or null. K must be whole blocks of
// every part's dtype.
void panel_product(ConstBuffer x, std::span<const WeightRows> parts, const float* bias, Buffer y,
                   int64_t M, int64_t K);

}  // namespace malssi
