// The losses of `malssi align grpo`, each with its averaging, ratio, clipping and advantages.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "train/rl/policy_loss.h"

namespace malssi {

struct RlMethod {
  std::string loss = "grpo";           // grpo, dr_grpo, dapo, gspo, rloo or reinforce++
  double beta = 0;                     // weight of the KL from the reference
  double clip_low = 0, clip_high = 0;  // 0: the loss's own

  // Whether the KL is taken off the rewards; else it is a term of the loss.
  bool penalises_rewards() const { return loss == "rloo" || loss == "reinforce++"; }
  bool needs_reference() const { return beta > 0; }
  // Whether groups whose rewards are all the same are drawn anew.
  bool filters_groups() const { return loss == "dapo"; }
  // Answers to a prompt, at least.
  int64_t least_group() const { return loss == "reinforce++" ? 1 : 2; }
};

// longest: tokens of an answer, at most.
PolicyLossOptions loss_options(const RlMethod& method, int64_t longest);

// What the advantages are made of: rewards of all answers, group after group, and of each answer's tokens the log-probability
// of the policy that drew it and of the reference (empty where there is none).
struct JudgedRollout {
  std::span<const double> rewards;
  int64_t group = 1;
  std::span<const std::vector<float>> before, reference;
};

// Of each token of each answer.
std::vector<std::vector<double>> advantages_of(const RlMethod& method,
                                               const JudgedRollout& rollout);

}  // namespace malssi
