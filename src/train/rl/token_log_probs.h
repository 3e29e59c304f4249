// How likely a model finds rollouts, token by token: what policy-gradient methods train on. The same function serves the
// policy with a tape and, without one, the policy before an update and the reference.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "data/batches.h"
#include "models/model.h"
#include "train/rl/rollout.h"

namespace malssi {

// These rollouts as sequences of one batch, one after another, without padding; scored are the answers' tokens.
Batch rollout_batch(std::span<const Rollout> rollouts, std::span<const int64_t> which);

// `which` cut into consecutive pieces of at most so many tokens; a longer rollout is a piece of its own.
std::vector<std::vector<int64_t>> rollout_pieces(std::span<const Rollout> rollouts,
                                                 std::span<const int64_t> which,
                                                 int64_t piece_tokens);

struct PolicyView {
  double temperature =
      1;  // that logits are divided by; as when the rollouts were drawn (0 there is 1 here)
  AdapterMix adapters = {};  // of the model's
};

// [N] in f32: log softmax(logits / temperature) of each scored target; 0 where none is scored.
Tensor token_log_probs(Model& model, const Batch& batch, const PolicyView& view = {});

// The same from the model's hidden states [N, D], where these serve something else, too.
Tensor token_log_probs_of(const Model& model, const Tensor& hidden, const Batch& batch,
                          double temperature);

// Of each rollout's answer tokens, untaped. Nothing when a stop was asked for meanwhile.
std::optional<std::vector<std::vector<float>>> answer_token_log_probs(
    Model& model, std::span<const Rollout> rollouts, const PolicyView& view, int64_t piece_tokens,
    const std::function<bool()>& stop_requested = {});

}  // namespace malssi
