// Rows of a matrix picked out and put side by side: the tokens whose logits are wanted.
#pragma once

#include <cstdint>
#include <span>

#include "tensor/tensor.h"

namespace malssi {

// matrix [N, D], rows of it in any order -> [rows, D] of the same dtype; the matrix itself when rows are 0 .. N - 1.
Tensor pick_rows(const Tensor& matrix, std::span<const int64_t> rows);

}  // namespace malssi
