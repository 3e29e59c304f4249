#include "train/rl/rl_method.h"

#include <numeric>

#include "train/rl/advantages.h"

namespace malssi {
namespace {

// before - reference of each token: the plain estimate of the KL between them.
std::vector<std::vector<float>> divergences(const JudgedRollout& rollout) {
  std::vector<std::vector<float>> all;
  for (size_t i = 0; i < rollout.before.size(); ++i) {
    auto& own = all.emplace_back(rollout.before[i].size(), 0.0f);
    if (rollout.reference.empty()) continue;
    for (size_t t = 0; t < own.size(); ++t) own[t] = rollout.before[i][t] - rollout.reference[i][t];
  }
  return all;
}

std::vector<double> answer_advantages(const RlMethod& method, const JudgedRollout& rollout) {
  if (method.loss == "dr_grpo") return centred_advantages(rollout.rewards, rollout.group);
  if (method.loss != "rloo") return group_advantages(rollout.rewards, rollout.group);
  const auto kl = divergences(rollout);
  std::vector<double> rewards(rollout.rewards.begin(), rollout.rewards.end());
  for (size_t i = 0; i < rewards.size(); ++i)
    rewards[i] -= method.beta * std::accumulate(kl[i].begin(), kl[i].end(), 0.0);
  return leave_one_out_advantages(rewards, rollout.group);
}

}  // namespace

PolicyLossOptions loss_options(const RlMethod& method, int64_t longest) {
  PolicyLossOptions options;
  if (method.loss == "dapo") options = {.average = AverageOver::tokens, .clip_high = 0.28};
  if (method.loss == "dr_grpo") options.average = AverageOver::fixed_length;
  if (method.loss == "gspo")
    options = {.ratio = RatioOf::answer_mean, .clip_low = 3e-4, .clip_high = 4e-4};
  if (method.loss == "rloo")
    options = {.ratio = RatioOf::answer_product, .average = AverageOver::sums};
  if (method.loss == "reinforce++") options.average = AverageOver::tokens;
  if (method.clip_low > 0) options.clip_low = method.clip_low;
  if (method.clip_high > 0) options.clip_high = method.clip_high;
  options.beta = method.penalises_rewards() ? 0 : method.beta;
  options.longest = static_cast<double>(longest);
  return options;
}

std::vector<std::vector<double>> advantages_of(const RlMethod& method,
                                               const JudgedRollout& rollout) {
  if (method.loss == "reinforce++")
    return token_advantages(rollout.rewards, divergences(rollout), method.beta);
  std::vector<std::vector<double>> all;
  const std::vector<double> each = answer_advantages(method, rollout);
  for (size_t i = 0; i < each.size(); ++i) all.emplace_back(rollout.before[i].size(), each[i]);
  return all;
}

}  // namespace malssi
