// The output layer and the cross-entropy over it in one walk, chunk by chunk, so that [tokens, vocabulary] logits never exist
// whole. What lm_loss(), distillation_loss() and
// sequence_log_probs() share.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "kernels/table.h"
#include "tensor/tape.h"
#include "tensor/tensor.h"

namespace malssi {

// Logits of some tokens, whose losses and gradients are wanted.
struct LogitRows {
  const float* logits = nullptr;  // [count, V], under the softcap
  int64_t begin = 0, count = 0;   // tokens begin .. begin + count
  float scale = 1;
  float* losses = nullptr;  // [count], unscaled
  Buffer dlogits = {};      // [count, V], scaled; without data: none are wanted
};

struct HeadPass {
  Tensor h, w;                       // [N, D], [V, D]
  std::span<const int32_t> targets;  // [N]; below 0: not scored
  std::span<const float> weights;    // [N]; 0: not scored
  float softcap = 0;
  std::function<void(const LogitRows&)> loss = {};  // in place of the cross-entropy
};

// Where gradients of scale * sum of the losses go; either may be missing. A w of another dtype than f32 and bf16 has none.
struct HeadGradients {
  float scale = 1;
  Tensor dh;    // [N, D]
  GradSink dw;  // [V, D]
};

// Throws Error where the shapes do not fit together or a target lies outside the vocabulary; `name` is the operation's.
void check_head(const char* name, const HeadPass& pass);

// weights[n] * -log softmax(h[n] w^T)[targets[n]] of each token, or what pass.loss says.
std::vector<float> head_losses(const HeadPass& pass, const HeadGradients* gradients);

// scale * the sum of head_losses(), as one f32 to be the end of a tape: the gradients are computed in the same pass (w's is
// complete when this returns, so backward must run with seed 1). name: of the operation, a literal.
Tensor head_loss(const char* name, const HeadPass& pass, float scale,
                 std::vector<float>* token_losses);

}  // namespace malssi
