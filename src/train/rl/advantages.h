// Advantages: how much better an answer was than one could expect, from the rewards of all answers of a rollout. Answers come
// in groups, one group for a prompt, each of the same size.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace malssi {

// (r - mean) / (std + 1e-4) within each group, std of a sample (divided by G - 1): Shao et al. 2024. Groups of 2 or more.
std::vector<double> group_advantages(std::span<const double> rewards, int64_t group);
// r - mean within each group: Dr. GRPO (Liu et al. 2025).
std::vector<double> centred_advantages(std::span<const double> rewards, int64_t group);
// r minus the mean of the other answers of its group: RLOO (Ahmadian et al. 2024, equation 7). Groups of 2 or more.
std::vector<double> leave_one_out_advantages(std::span<const double> rewards, int64_t group);

// REINFORCE++ (Hu et al. 2025): of each token the reward of its answer minus beta times the KL (policy - reference) of itself
// and all that follows, then made mean 0 and deviation 1 over all tokens. kl: of each answer's tokens; beta 0: all zeros will do.
std::vector<std::vector<double>> token_advantages(std::span<const double> rewards,
                                                  std::span<const std::vector<float>> kl,
                                                  double beta);

// Whether all rewards of each group are the same, so that it teaches nothing.
std::vector<bool> undecided_groups(std::span<const double> rewards, int64_t group);

}  // namespace malssi
