#include "train/rl/advantages.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "base/error.h"

namespace malssi {
namespace {

using Rewards = std::span<const double>;

double mean(Rewards values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double sample_deviation(Rewards values, double mean) {
  double squares = 0;
  for (const double each : values) squares += (each - mean) * (each - mean);
  return std::sqrt(squares / static_cast<double>(values.size() - 1));
}

void each_group(Rewards rewards, int64_t group, const std::function<void(Rewards)>& visit) {
  const auto size = static_cast<size_t>(group);
  CHECK(group >= 1 && rewards.size() % size == 0, rewards.size(), " rewards in groups of ", group);
  for (size_t first = 0; first < rewards.size(); first += size) visit(rewards.subspan(first, size));
}

}  // namespace

std::vector<double> group_advantages(Rewards rewards, int64_t group) {
  CHECK(group >= 2);
  std::vector<double> advantages;
  each_group(rewards, group, [&](Rewards own) {
    const double m = mean(own), deviation = sample_deviation(own, m);
    for (const double r : own) advantages.push_back((r - m) / (deviation + 1e-4));
  });
  return advantages;
}

std::vector<double> centred_advantages(Rewards rewards, int64_t group) {
  std::vector<double> advantages;
  each_group(rewards, group, [&](Rewards own) {
    const double m = mean(own);
    for (const double r : own) advantages.push_back(r - m);
  });
  return advantages;
}

std::vector<double> leave_one_out_advantages(Rewards rewards, int64_t group) {
  CHECK(group >= 2);
  const double scale = static_cast<double>(group) / static_cast<double>(group - 1);
  std::vector<double> advantages;
  each_group(rewards, group, [&](Rewards own) {
    const double m = mean(own);
    for (const double r : own) advantages.push_back(scale * (r - m));
  });
  return advantages;
}

std::vector<std::vector<double>> token_advantages(Rewards rewards,
                                                  std::span<const std::vector<float>> kl,
                                                  double beta) {
  CHECK(rewards.size() == kl.size());
  std::vector<std::vector<double>> raw;
  double count = 0, sum = 0, squares = 0;
  for (size_t i = 0; i < rewards.size(); ++i) {
    std::vector<double>& own = raw.emplace_back(kl[i].size());
    double return_to_go = rewards[i];
    for (size_t t = own.size(); t-- > 0;) sum += own[t] = return_to_go -= beta * kl[i][t];
    count += static_cast<double>(own.size());
  }
  const double m = sum / count;
  for (const auto& own : raw)
    for (const double each : own) squares += (each - m) * (each - m);
  const double scale = 1 / std::sqrt(std::max(squares / count, 1e-8));
  std::vector<std::vector<double>> advantages;
  for (const auto& own : raw) {
    auto& out = advantages.emplace_back();
    for (const double each : own) out.push_back((each - m) * scale);
  }
  return advantages;
}

std::vector<bool> undecided_groups(Rewards rewards, int64_t group) {
  std::vector<bool> undecided;
  each_group(rewards, group, [&](Rewards own) {
    const auto [least, most] = std::minmax_element(own.begin(), own.end());
    undecided.push_back(*most - *least < 1e-12);
  });
  return undecided;
}

}  // namespace malssi
