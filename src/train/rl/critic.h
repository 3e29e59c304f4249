// A critic: what score a policy's unfinished answer is expected to reach, before each of its tokens. It is one of
//   an adapter and a value head beside the frozen weights of the reward model, from whose head it starts: the reward model
//     itself, with the adapter switched off, goes on scoring, so that memory holds its weights once and moments of few; or
//   a value head of zeros on the policy's own trunk: no second model at all, but policy and values pull at the same weights.
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

struct Critic {
  Model* model = nullptr;  // whose hidden states it looks at
  AdapterMix adapters = {};
  Tensor head;  // [1, width], of the model's dtype
};

// [N] in f32: the value before each of a batch's targets.
Tensor token_values(const Critic& critic, const Tensor& hidden);

// Of each rollout's answer tokens, untaped. Nothing when a stop was asked for meanwhile.
std::optional<std::vector<std::vector<float>>> answer_token_values(
    const Critic& critic, std::span<const Rollout> rollouts, int64_t piece_tokens,
    const std::function<bool()>& stop_requested = {});

// The share of the returns' variance that values explain: 1 - var(returns - values) / var(returns); 0 where returns do not vary.
double explained_variance(std::span<const std::vector<float>> values,
                          std::span<const std::vector<double>> returns);

}  // namespace malssi
