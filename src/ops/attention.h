// Attention of whole sequences (Vaswani et al. 2017), grouped-query (Ainslie et al. 2023), tiled (Dao 2023).
#pragma once

#include <cstdint>
#include <span>

#include "kernels/table.h"
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

struct AttentionOptions {
  DropoutOptions dropout = {};  // of the probabilities
  AttentionMask mask = AttentionMask::causal;
  int64_t window = 0;  // causal: a token sees itself and the window - 1 before it; 0: all of them
  float softcap = 0;   // scores become cap tanh(score / cap); 0: they stay (Gemma 2, 2024)
};

// qkv [N, (heads + 2 kv_heads) head_dim], f32 or bf16 -> [N, heads * head_dim] of the same dtype. starts: where sequences begin, and N
// at the end; a token sees what the mask and the window show it of its own sequence.
Tensor attention(const Tensor& qkv, std::span<const int32_t> starts, const AttentionHeads& heads,
                 const AttentionOptions& options = {});

}  // namespace malssi
