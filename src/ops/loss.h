// The language model's loss, with the output layer inside, so that [tokens, vocabulary] logits never exist whole.
#pragma once

#include <span>
#include <vector>

#include "tensor/tensor.h"

namespace malssi {

// h [N, D] of w's dtype (or f32), w [V, D]; targets [N], those below 0 or of weight 0 are not scored.
// w may be of any dtype where it wants no gradient. Returns one f32: scale * sum over n of weights[n] * -log softmax(h[n] w^T)[targets[n]]. While a tape records, the gradients of
// h and w are computed in the same pass (w's is complete when this returns, so backward must run with seed 1).
// softcap above 0: logits are cap tanh(logit / cap).
// token_losses, when given, receives the unscaled weights[n] * -log p of each token.
Tensor lm_loss(const Tensor& h, const Tensor& w, std::span<const int32_t> targets,
               std::span<const float> weights, float scale,
               std::vector<float>* token_losses = nullptr, float softcap = 0);

}  // namespace malssi
