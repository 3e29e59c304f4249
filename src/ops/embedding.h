// Embedding: rows of a table, by token id, with learned positions where a model has them.
#pragma once

#include <span>

#include "tensor/tensor.h"

namespace malssi {

// table [V, D], ids [N] in 0 .. V - 1 -> f32 [N, D]. Throws Error naming an id outside the table.
Tensor embedding(const Tensor& table, std::span<const int32_t> ids);
// The same, plus rows of position_table [P, D] by positions [N].
Tensor embedding(const Tensor& table, std::span<const int32_t> ids, const Tensor& position_table,
                 std::span<const int32_t> positions);

}  // namespace malssi
