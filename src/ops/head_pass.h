// The output layer and the cross-entropy over it in one walk, chunk by chunk, so that [tokens, vocabulary] logits never exist
// whole. What lm_loss() and sequence_log_probs() share.
#pragma once

#include <span>
#include <vector>

#include "tensor/tape.h"
#include "tensor/tensor.h"

namespace malssi {

struct HeadPass {
  Tensor h, w;                       // [N, D], [V, D]
  std::span<const int32_t> targets;  // [N]; below 0: not scored
  std::span<const float> weights;    // [N]; 0: not scored
  float softcap = 0;
};

// Where gradients of scale * sum of the losses go; either may be missing. A w of another dtype than f32 and bf16 has none.
struct HeadGradients {
  float scale = 1;
  Tensor dh;    // [N, D]
  GradSink dw;  // [V, D]
};

// Throws Error where the shapes do not fit together or a target lies outside the vocabulary; `name` is the operation's.
void check_head(const char* name, const HeadPass& pass);

// weights[n] * -log softmax(h[n] w^T)[targets[n]] of each token.
std::vector<float> head_losses(const HeadPass& pass, const HeadGradients* gradients);

}  // namespace malssi
