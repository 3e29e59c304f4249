// Rows that no token brought: trained embeddings in front of a sequence, trained keys and values that attention sees before it.
#pragma once

#include <cstdint>
#include <span>

#include "ops/attention.h"
#include "tensor/tensor.h"

namespace malssi {

// x f32 [N, D] with x[rows[i]] = table[places[i]], IN PLACE: x itself must not be used afterwards, only the result. table f32 or
// bf16 [V, D]. No row twice. Throws InternalError where rows or places are not there.
Tensor put_rows_in_place(const Tensor& x, const Tensor& table, std::span<const int32_t> rows,
                         std::span<const int32_t> places);

// qkv [N, (heads + 2 kv_heads) head_dim] of sequences that begin at starts (N at the end) -> [N + V sequences, ..]: in front of
// each sequence V rows with this layer's keys and values of the prefix, and queries of zero.
// prefix f32 [V, layers 2 kv_heads head_dim]: a layer's keys, then its values, then the next one's (Li, Liang 2021; PEFT's order).
Tensor with_prefix(const Tensor& qkv, const Tensor& prefix, int64_t layer,
                   std::span<const int32_t> starts, const AttentionHeads& heads);

}  // namespace malssi
