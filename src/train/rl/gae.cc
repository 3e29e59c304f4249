#include "train/rl/gae.h"

#include <cmath>

#include "base/error.h"

namespace malssi {

std::vector<double> penalised_rewards(std::span<const float> policy,
                                      std::span<const float> reference, double score, double beta) {
  CHECK(policy.size() == reference.size() && !policy.empty(), "log-probabilities of ",
        policy.size(), " and ", reference.size(), " tokens");
  std::vector<double> rewards;
  for (size_t i = 0; i < policy.size(); ++i)
    rewards.push_back(-beta * (static_cast<double>(policy[i]) - reference[i]));
  rewards.back() += score;
  return rewards;
}

Advantages gae(std::span<const double> rewards, std::span<const float> values, double gamma,
               double lambda) {
  CHECK(rewards.size() == values.size(), rewards.size(), " rewards and ", values.size(), " values");
  Advantages result{std::vector<double>(rewards.size()), std::vector<double>(rewards.size())};
  double later = 0, next_value = 0;
  for (size_t i = rewards.size(); i-- > 0;) {
    const double surprise = rewards[i] + gamma * next_value - values[i];
    later = surprise + gamma * lambda * later;
    result.advantages[i] = later;
    result.returns[i] = later + values[i];
    next_value = values[i];
  }
  return result;
}

void whiten(std::vector<std::vector<double>>& rows, Whitening kind) {
  double sum = 0, squares = 0, count = 0;
  for (const auto& row : rows) {
    for (const double x : row) sum += x;
    count += static_cast<double>(row.size());
  }
  if (count == 0) return;
  const double mean = sum / count;
  for (const auto& row : rows)
    for (const double x : row) squares += (x - mean) * (x - mean);
  const double scale = 1 / std::sqrt(squares / count + 1e-8);
  for (auto& row : rows)
    for (double& x : row) x = (x - mean) * scale + (kind == Whitening::keep_mean ? mean : 0);
}

}  // namespace malssi
