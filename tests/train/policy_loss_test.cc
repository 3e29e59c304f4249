#include "train/rl/policy_loss.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/json.h"
#include "train/rl/advantages.h"
#include "train/rl/rl_method.h"

namespace malssi {
namespace {

using Rows = std::vector<std::vector<float>>;

struct Fixture {
  const Json json = load_json(fs::path(MALSSI_SOURCE_DIR) / "tests/train/policy_fixture.json");
  const std::vector<double> rewards = get<std::vector<double>>(json, "rewards", "fixture");
  const int64_t group = get<int64_t>(json, "group", "fixture");
  const int64_t longest = get<int64_t>(json, "longest", "fixture");
  const Rows policy = get<Rows>(json, "policy", "fixture");
  const Rows before = get<Rows>(json, "before", "fixture");
  const Rows reference = get<Rows>(json, "reference", "fixture");

  StepSize step() const {
    StepSize size{.answers = std::ssize(policy)};
    for (const auto& row : policy) size.tokens += std::ssize(row);
    return size;
  }
};

void expect_close(double found, double expected, const std::string& what) {
  EXPECT_NEAR(found, expected, 1e-5 * std::abs(expected) + 1e-12) << what;
}

TEST(PolicyLoss, EqualsPyTorchInDoublePrecision) {
  const Fixture f;
  const Json cases = get<Json>(f.json, "cases", "fixture");
  ASSERT_EQ(cases.size(), 8u);
  for (const Json& each : cases) {
    RlMethod method;
    method.loss = get<std::string>(each, "name", "fixture");
    method.beta = get<double>(each, "beta", "fixture");
    method.clip_low = get<double>(each, "clip_low", "fixture");
    method.clip_high = get<double>(each, "clip_high", "fixture");
    const PolicyLossOptions options = loss_options(method, f.longest);
    RlMethod drawn = method;
    if (method.loss == "reinforce++") drawn.beta = get<double>(f.json, "token_beta", "fixture");
    const auto advantages = advantages_of(
        drawn,
        {.rewards = f.rewards, .group = f.group, .before = f.before, .reference = f.reference});
    const auto gradient = get<std::vector<std::vector<double>>>(each, "gradient", "fixture");
    double value = 0;
    for (size_t i = 0; i < f.policy.size(); ++i) {
      const PolicyLoss loss =
          policy_loss({.policy = f.policy[i],
                       .before = f.before[i],
                       .reference = options.beta > 0 ? std::span<const float>(f.reference[i])
                                                     : std::span<const float>(),
                       .advantages = advantages[i]},
                      f.step(), options);
      value += loss.value;
      ASSERT_EQ(loss.derivatives.size(), gradient[i].size());
      for (size_t t = 0; t < gradient[i].size(); ++t)
        expect_close(loss.derivatives[t], gradient[i][t],
                     concat(method.loss, " answer ", i, " token ", t));
    }
    expect_close(value, get<double>(each, "value", "fixture"), method.loss);
  }
}

TEST(Advantages, EqualPyTorch) {
  const Fixture f;
  const Json expected = get<Json>(f.json, "advantages", "fixture");
  const auto check = [&](const std::vector<double>& found, const char* name) {
    const auto values = get<std::vector<double>>(expected, name, "fixture");
    ASSERT_EQ(found.size(), values.size());
    for (size_t i = 0; i < found.size(); ++i) expect_close(found[i], values[i], name);
  };
  check(group_advantages(f.rewards, f.group), "group");
  check(centred_advantages(f.rewards, f.group), "centred");
  check(leave_one_out_advantages(f.rewards, f.group), "leave_one_out");
}

TEST(Advantages, OfTokensCountTheDivergenceThatFollows) {
  const Fixture f;
  Rows kl;
  for (size_t i = 0; i < f.before.size(); ++i) {
    auto& own = kl.emplace_back();
    for (size_t t = 0; t < f.before[i].size(); ++t)
      own.push_back(f.before[i][t] - f.reference[i][t]);
  }
  const auto found = token_advantages(f.rewards, kl, get<double>(f.json, "token_beta", "fixture"));
  const auto expected =
      get<std::vector<std::vector<double>>>(f.json, "token_advantages", "fixture");
  for (size_t i = 0; i < found.size(); ++i)
    for (size_t t = 0; t < found[i].size(); ++t) EXPECT_NEAR(found[i][t], expected[i][t], 1e-6);
}

TEST(Advantages, AGroupOfEqualRewardsTeachesNothing) {
  const std::vector<double> rewards = {1, 1, 1, 0, 0, 1};
  const auto advantages = group_advantages(rewards, 3);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(advantages[static_cast<size_t>(i)], 0);
  EXPECT_GT(advantages[5], 1);
  EXPECT_EQ(undecided_groups(rewards, 3), (std::vector<bool>{true, false}));
}

// Where nothing has been learned since the rollout, the ratio is 1: nothing is clipped, and the gradient is the plain one.
TEST(PolicyLoss, BeginsAtRatioOneWithoutDivergence) {
  const std::vector<float> log_probs = {-1, -0.5f, -3};
  for (const char* loss : {"grpo", "dr_grpo", "dapo", "gspo", "rloo", "reinforce++"}) {
    const PolicyLossOptions options = loss_options({.loss = loss, .beta = 0.1}, 3);
    const std::vector<double> advantages(3, -0.7);
    const PolicyLoss first = policy_loss({.policy = log_probs,
                                          .before = log_probs,
                                          .reference = log_probs,
                                          .advantages = advantages},
                                         {.answers = 1, .tokens = 3}, options);
    EXPECT_EQ(first.kl, 0) << loss;
    EXPECT_EQ(first.clipped, 0) << loss;
    const double share = std::string(loss) == "rloo" ? 1 : 1.0 / 3;
    for (const float each : first.derivatives) EXPECT_NEAR(each, 0.7 * share, 1e-7) << loss;
  }
}

TEST(PolicyLoss, ClipsUpwardsLaterThanDownwards) {
  const std::vector<float> before = {-1};
  const std::vector<double> up = {1}, down = {-1};
  const PolicyLossOptions dapo = loss_options({.loss = "dapo"}, 1);
  const auto at = [&](float log_ratio, const std::vector<double>& advantage) {
    const std::vector<float> policy = {-1 + log_ratio};
    return policy_loss(
        {.policy = policy, .before = before, .reference = {}, .advantages = advantage},
        {.answers = 1, .tokens = 1}, dapo);
  };
  EXPECT_EQ(at(std::log(1.27f), up).clipped, 0);
  EXPECT_EQ(at(std::log(1.29f), up).clipped, 1);
  EXPECT_EQ(at(std::log(1.29f), up).derivatives[0], 0);
  EXPECT_EQ(at(std::log(0.79f), down).clipped, 1);
  EXPECT_NE(at(std::log(0.79f), up).derivatives[0], 0);  // it goes back
}

}  // namespace
}  // namespace malssi
