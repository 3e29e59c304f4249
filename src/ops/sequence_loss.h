// The log-probability that a model gives to whole answers: what preference methods compare. Logits of the whole batch never
// exist at once; the backward pass computes them again.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "tensor/tensor.h"

namespace malssi {

struct ScoredTokens {
  std::vector<int32_t> targets;  // [N]: the next token
  std::vector<float> weights;    // [N]: 0 = not scored
  std::vector<int32_t> starts;   // begins of the S sequences, then N: 0, .., N
};

// h [N, D] of w's dtype (or f32), w [V, D] -> [S] in f32: of each sequence the sum of weights[n] * log softmax(h[n]
// w^T)[targets[n]]. softcap above 0: logits are cap tanh(logit / cap). Throws Error where the shapes do not fit together.
Tensor sequence_log_probs(const Tensor& h, const Tensor& w, const ScoredTokens& tokens,
                          float softcap = 0);

// A number whose derivatives by x [S] are known: value [1], to be the end of a tape.
Tensor known_loss(const Tensor& x, double value, std::vector<float> derivatives);

}  // namespace malssi
