// Columns of some rows to which something is added: what low-rank adapters of linear layers need.
#pragma once

#include <cstdint>
#include <span>

#include "tensor/tensor.h"

namespace malssi {

// x f32 [n, D] -> f32 [n, D]: row i times factors[i].
Tensor scaled_rows(const Tensor& x, std::span<const float> factors);

// y [N, D] f32 or bf16; y[rows[i], first + j] += x[i, j], IN PLACE: y itself must not be used afterwards, only the result.
// x f32 [n, columns], no row twice. Throws InternalError where rows or columns are not y's.
Tensor add_columns_in_place(const Tensor& y, const Tensor& x, std::span<const int32_t> rows,
                            int64_t first);

}  // namespace malssi
