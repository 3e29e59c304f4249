// The clipped policy-gradient losses of reinforcement learning from whole-answer rewards, as functions of one answer's token
// log-probabilities. Each gives its value and its derivatives by the policy's log-probabilities; the policy before the update,
// the reference and the advantages are constants.
//   token ratios   Shao et al. 2024 (GRPO), equation 3, after Schulman et al. 2017 (PPO); two clip bounds: Yu et al. 2025 (DAPO)
//   mean ratio     Zheng et al. 2025 (GSPO), equations 5 to 7
//   product ratio  Ahmadian et al. 2024 (RLOO): the whole answer is one action
//   KL             Schulman 2020, estimator k3: exp(d) - d - 1 with d = reference - policy; per token, never below 0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace malssi {

// What the new policy's probability is compared over: each token; the answer, per token; the answer as a whole.
enum class RatioOf { token, answer_mean, answer_product };

// What the sum over tokens is divided by.
enum class AverageOver {
  answers,       // each answer's tokens, then the answers (GRPO)
  tokens,        // all tokens of the step (DAPO)
  fixed_length,  // answers times the longest that an answer may be (Dr. GRPO: Liu et al. 2025)
  sums           // the answers alone (RLOO)
};

struct PolicyLossOptions {
  RatioOf ratio = RatioOf::token;
  AverageOver average = AverageOver::answers;
  double clip_low = 0.2, clip_high = 0.2;  // the ratio counts between 1 - low and 1 + high
  double beta = 0;                         // weight of the KL term
  double longest = 1;                      // tokens, for fixed_length
};

// One answer of T tokens.
struct AnswerTokens {
  std::span<const float> policy;       // [T] log-probabilities
  std::span<const float> before;       // [T] of the policy that drew it
  std::span<const float> reference;    // [T]; empty where beta is 0
  std::span<const double> advantages;  // [T]; those of an answer's ratio must be equal
};

// How much the whole optimiser step holds, over all its pieces.
struct StepSize {
  int64_t answers = 0;
  int64_t tokens = 0;
};

struct PolicyLoss {
  double value = 0;                // this answer's part of the step's loss
  std::vector<float> derivatives;  // [T]
  double kl = 0;                   // summed over its tokens; 0 without a reference
  int64_t clipped = 0;             // tokens whose ratio lies outside and earns no gradient
};

PolicyLoss policy_loss(const AnswerTokens& answer, const StepSize& step,
                       const PolicyLossOptions& options);

}  // namespace malssi
