#include <gtest/gtest.h>

#include <cmath>

#include "base/json.h"
#include "train/rl/critic.h"
#include "train/rl/gae.h"
#include "train/rl/kl_control.h"
#include "train/rl/policy_loss.h"
#include "train/rl/value_loss.h"

namespace malssi {
namespace {

using Rows = std::vector<std::vector<double>>;

std::vector<float> floats(const std::vector<double>& row) { return {row.begin(), row.end()}; }

// The numbers of ppo_reference.py, whose rows were padded there and are as long as they are here.
class PpoArithmetic : public testing::Test {
 protected:
  const Json golden_ = load_json(std::string(MALSSI_SOURCE_DIR) + "/tests/train/ppo_fixture.json");

  Rows rows(const char* name) const { return golden_[name].get<Rows>(); }
  double number(const char* name) const { return golden_[name].get<double>(); }
  static void expect_near(const Rows& got, const Rows& want) {
    ASSERT_EQ(got.size(), want.size());
    for (size_t i = 0; i < want.size(); ++i) {
      ASSERT_EQ(got[i].size(), want[i].size());
      for (size_t j = 0; j < want[i].size(); ++j)
        EXPECT_NEAR(got[i][j], want[i][j], 1e-5 * std::abs(want[i][j]) + 1e-12) << i << ", " << j;
    }
  }
};

TEST_F(PpoArithmetic, RewardsAndAdvantagesAreThoseOfPyTorch) {
  const Rows old = rows("old"), reference = rows("reference"), values = rows("old_values");
  Rows rewards, advantages, returns;
  for (size_t i = 0; i < old.size(); ++i)
    rewards.push_back(penalised_rewards(floats(old[i]), floats(reference[i]),
                                        golden_["scores"][i].get<double>(), number("beta")));
  expect_near(rewards, rows("rewards"));
  whiten(rewards, Whitening::keep_mean);
  expect_near(rewards, rows("white_rewards"));
  for (size_t i = 0; i < old.size(); ++i) {
    const Advantages each = gae(rewards[i], floats(values[i]), number("gamma"), number("lambda"));
    advantages.push_back(each.advantages);
    returns.push_back(each.returns);
  }
  expect_near(returns, rows("returns"));
  whiten(advantages, Whitening::full);
  expect_near(advantages, rows("advantages"));
}

TEST_F(PpoArithmetic, LossesAndGradientsAreThoseOfPyTorch) {
  const Rows old = rows("old"), advantages = rows("advantages"), now = rows("new");
  const Rows values = rows("values"), old_values = rows("old_values"), returns = rows("returns");
  StepSize step{.answers = std::ssize(old)};
  for (const auto& row : old) step.tokens += std::ssize(row);
  const auto tokens = static_cast<double>(step.tokens);
  double policy_value = 0, value_value = 0, clipped = 0;
  Rows d_new, d_values;
  for (size_t i = 0; i < old.size(); ++i) {
    const std::vector<float> before = floats(old[i]), policy = floats(now[i]);
    const PolicyLoss loss = policy_loss(
        {.policy = policy, .before = before, .reference = {}, .advantages = advantages[i]}, step,
        {.average = AverageOver::tokens, .clip_low = number("clip"), .clip_high = number("clip")});
    policy_value += loss.value;
    clipped += static_cast<double>(loss.clipped) / tokens;
    d_new.emplace_back(loss.derivatives.begin(), loss.derivatives.end());
    d_values.emplace_back();
    for (size_t j = 0; j < old[i].size(); ++j) {
      const ValueLoss value =
          clipped_value_loss(values[i][j], old_values[i][j], returns[i][j], number("value_clip"));
      value_value += value.value / tokens;
      d_values.back().push_back(number("value_weight") * value.derivative / tokens);
    }
  }
  EXPECT_NEAR(policy_value, number("policy_loss"), 1e-5 * std::abs(number("policy_loss")));
  EXPECT_NEAR(value_value, number("value_loss"), 1e-5 * number("value_loss"));
  EXPECT_NEAR(clipped, number("clipped"), 1e-9);
  EXPECT_GT(clipped, 0.1);
  expect_near(d_new, rows("d_new"));
  expect_near(d_values, rows("d_values"));
}

TEST(ExplainedVariance, IsOneForTheReturnsThemselvesAndNoneForAConstant) {
  const Rows returns = {{1, 2, 3}, {5}};
  const std::vector<std::vector<float>> same = {{1, 2, 3}, {5}}, flat = {{2, 2, 2}, {2}};
  EXPECT_NEAR(explained_variance(same, returns), 1, 1e-9);
  EXPECT_NEAR(explained_variance(flat, returns), 0, 1e-9);
  EXPECT_EQ(explained_variance(flat, Rows{{2, 2, 2}, {2}}), 0);
}

TEST(Whiten, KeepsTheMeanOrTakesItOff) {
  Rows kept = {{1, 2}, {6}}, full = kept;
  whiten(kept, Whitening::keep_mean);
  whiten(full, Whitening::full);
  EXPECT_NEAR(kept[0][0] + kept[0][1] + kept[1][0], 9, 1e-9);
  EXPECT_NEAR(full[0][0] + full[0][1] + full[1][0], 0, 1e-9);
  for (const Rows& rows : {kept, full})
    EXPECT_NEAR(rows[1][0] - rows[0][0], 5 / std::sqrt(14.0 / 3), 1e-6);
  Rows same = {{3, 3}};
  whiten(same, Whitening::full);
  EXPECT_EQ(same, (Rows{{0, 0}}));
}

TEST(KlControl, SteersTowardsItsTarget) {
  KlControl control({.beta = 0.1, .is_adaptive = true, .target = 6, .horizon = 10000});
  control.update(6, 500);
  EXPECT_DOUBLE_EQ(control.beta(), 0.1);
  control.update(60, 500);  // the error counts 0.2 at most
  EXPECT_DOUBLE_EQ(control.beta(), 0.1 * 1.01);
  control.restore(0.1);
  control.update(5.4, 500);
  EXPECT_DOUBLE_EQ(control.beta(), 0.1 * 0.995);
  KlControl fixed({.beta = 0.1, .is_adaptive = false, .target = 6, .horizon = 10000});
  fixed.update(60, 500);
  EXPECT_DOUBLE_EQ(fixed.beta(), 0.1);
}

}  // namespace
}  // namespace malssi
