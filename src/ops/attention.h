// Causal attention of whole sequences (Vaswani et al. 2017), grouped-query (Ainslie et al. 2023), tiled (Dao 2023).
#pragma once

#include <cstdint>
#include <span>

#include "ops/residual.h"
#include "tensor/tensor.h"

namespace malssi {

struct AttentionHeads {
  int64_t heads = 0;
  int64_t kv_heads = 0;  // divides heads
  int64_t head_dim = 0;  // even
  float scale = 0;       // 0: 1 / sqrt(head_dim)

  float score_scale() const;
};

// qkv [N, (heads + 2 kv_heads) head_dim], f32 or bf16 -> [N, heads * head_dim] of the same dtype. starts: where sequences begin, and N
// at the end; a token sees itself and earlier tokens of its own sequence. dropout acts on the probabilities.
Tensor attention(const Tensor& qkv, std::span<const int32_t> starts, const AttentionHeads& heads,
                 const DropoutOptions& dropout = {});

}  // namespace malssi
