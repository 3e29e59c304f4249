// Experience: answers that a policy drew, with all that proximal policy optimisation learns from them: how likely they were,
// what the critic expected, how much better each token was than that. It is gathered once and learned from several times; a
// checkpoint between keeps it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "train/align/tally.h"
#include "train/rl/critic.h"
#include "train/rl/rewards/reward.h"
#include "train/rl/rollout.h"

namespace malssi {

// The models at work. With an adapter the reference is the policy's own model, whose adapter is switched off.
struct PpoActors {
  Model& policy;
  AdapterMix adapters = {};  // of the policy
  Model& reference;
  const Tokenizer& tokenizer;
  Critic critic;
  Reward& reward;
};

struct ExperienceOptions {
  int64_t samples = 1;  // answers to each prompt
  double temperature = 1;
  int64_t max_tokens = 128;        // of an answer
  std::vector<int32_t> ends = {};  // tokens that end one
  double gamma = 1, lambda = 0.95;
  bool whiten_rewards = true;
  double missing_end_penalty = 1;  // taken off the score of an answer that did not end
  int64_t piece_tokens = 2048;
  std::function<bool()> stop_requested = {};
};

struct Experience {
  std::vector<Rollout> rollouts;
  std::vector<std::vector<float>> before;  // of each answer's tokens: log-probability when drawn
  std::vector<std::vector<float>> values;
  std::vector<std::vector<double>> advantages, returns;
  double kl = 0;       // log policy - log reference of a whole answer, in nats, the mean
  Tally figures = {};  // reward, kl, entropy, length, ended, explained_variance

  int64_t size() const { return std::ssize(rollouts); }
  // Without the figures.
  Json to_json() const;
  static Experience from_json(const Json& json, std::string_view where);  // throws Error
};

// Draws answers to prompts[which] and judges them; beta: what a nat of KL costs. Nothing when a stop was asked for meanwhile.
std::optional<Experience> gather(const PpoActors& actors, std::span<const RlPrompt> prompts,
                                 std::span<const int64_t> which, double beta, uint64_t seed,
                                 const ExperienceOptions& options);

}  // namespace malssi
