#include "train/rl/policy_loss.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace malssi {
namespace {

double weight_of_token(int64_t tokens, const StepSize& step, const PolicyLossOptions& options) {
  const auto answers = static_cast<double>(step.answers);
  switch (options.average) {
    case AverageOver::answers:
      return 1 / (answers * static_cast<double>(tokens));
    case AverageOver::tokens:
      return 1 / static_cast<double>(step.tokens);
    case AverageOver::fixed_length:
      return 1 / (answers * options.longest);
    case AverageOver::sums:
      return 1 / answers;
  }
  CHECK(false, "unknown average");
}

struct Clipped {
  double value = 0, derivative = 0;  // by the logarithm of the ratio
  bool clipped = false;
};

// -min(ratio A, clip(ratio) A).
Clipped clipped_gain(double log_ratio, double advantage, const PolicyLossOptions& options) {
  const double ratio = std::exp(log_ratio);
  const double bound = std::clamp(ratio, 1 - options.clip_low, 1 + options.clip_high);
  if (bound * advantage < ratio * advantage) return {-bound * advantage, 0, true};
  return {-ratio * advantage, -ratio * advantage, false};
}

// One ratio for all tokens: its gain stands for each of them, or once for the whole answer.
void add_answer_gain(const AnswerTokens& answer, double weight, const PolicyLossOptions& options,
                     PolicyLoss& loss) {
  const auto T = static_cast<double>(answer.policy.size());
  const bool is_mean = options.ratio == RatioOf::answer_mean;
  double log_ratio = 0;
  for (size_t t = 0; t < answer.policy.size(); ++t)
    log_ratio += static_cast<double>(answer.policy[t]) - answer.before[t];
  if (is_mean) log_ratio /= T;
  const Clipped gain = clipped_gain(log_ratio, answer.advantages[0], options);
  const double times = is_mean ? T : 1;
  loss.value += weight * times * gain.value;
  for (float& each : loss.derivatives) each += static_cast<float>(weight * gain.derivative);
  if (gain.clipped) loss.clipped = static_cast<int64_t>(answer.policy.size());
}

void add_token_gains(const AnswerTokens& answer, double weight, const PolicyLossOptions& options,
                     PolicyLoss& loss) {
  for (size_t t = 0; t < answer.policy.size(); ++t) {
    const double log_ratio = static_cast<double>(answer.policy[t]) - answer.before[t];
    const Clipped gain = clipped_gain(log_ratio, answer.advantages[t], options);
    loss.value += weight * gain.value;
    loss.derivatives[t] += static_cast<float>(weight * gain.derivative);
    loss.clipped += gain.clipped ? 1 : 0;
  }
}

}  // namespace

PolicyLoss policy_loss(const AnswerTokens& answer, const StepSize& step,
                       const PolicyLossOptions& options) {
  const size_t T = answer.policy.size();
  CHECK(T > 0 && answer.before.size() == T && answer.advantages.size() == T &&
            (answer.reference.empty() ? options.beta == 0 : answer.reference.size() == T),
        "policy_loss: ", T, " tokens do not fit what goes with them");
  CHECK(step.answers > 0 && step.tokens > 0, "policy_loss: an empty step");
  const double weight = weight_of_token(static_cast<int64_t>(T), step, options);
  PolicyLoss loss;
  loss.derivatives.assign(T, 0);
  if (options.ratio == RatioOf::token)
    add_token_gains(answer, weight, options, loss);
  else
    add_answer_gain(answer, weight, options, loss);
  for (size_t t = 0; t < answer.reference.size(); ++t) {
    const double d = static_cast<double>(answer.reference[t]) - answer.policy[t];
    loss.kl += std::expm1(d) - d;
    loss.derivatives[t] -= static_cast<float>(weight * options.beta * std::expm1(d));
  }
  loss.value += weight * options.beta * loss.kl;
  return loss;
}

}  // namespace malssi
