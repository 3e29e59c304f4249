// Learning a teacher's distribution over the whole vocabulary (Hinton, Vinyals, Dean 2015: Distilling the Knowledge in a Neural
// Network), with the output layer inside, as lm_loss() has it: neither model's [tokens, vocabulary] logits ever exist whole.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "tensor/tensor.h"

namespace malssi {

struct Distillation {
  // The teacher's logits of tokens begin .. end, f32 [end - begin, Vt]. Called in order, each token once.
  std::function<Tensor(int64_t begin, int64_t end)> teacher;
  int64_t known =
      0;  // ids that the tokenizer has: the teacher's distribution is over these alone, at most V and Vt
  float temperature = 1;  // of both distributions; their divergence counts temperature^2 times
  float hard = 0;         // the part of the loss that is the target's cross-entropy, 0 .. 1
};

// h [N, D], w [V, D], targets and weights [N] as of lm_loss(). Returns one f32: scale * the sum over n of
//   weights[n] * ((1 - hard) temperature^2 KL(teacher || student) + hard * -log softmax(h[n] w^T)[targets[n]]),
// to be the end of a tape. token_losses, when given, receives the unscaled terms. Throws Error where shapes do not fit together.
Tensor distillation_loss(const Tensor& h, const Tensor& w, std::span<const int32_t> targets,
                         std::span<const float> weights, float scale,
                         const Distillation& distillation,
                         std::vector<float>* token_losses = nullptr, float softcap = 0);

}  // namespace malssi
