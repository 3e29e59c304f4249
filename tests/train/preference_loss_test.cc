#include "train/align/preference_loss.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "base/json.h"

namespace malssi {
namespace {

PairLogProbs pair_of(const Json& json) {
  const auto policy = get<std::vector<double>>(json, "policy", "fixture");
  const auto reference = get<std::vector<double>>(json, "reference", "fixture");
  const auto tokens = get<std::vector<int64_t>>(json, "tokens", "fixture");
  return {.chosen = {policy[0], reference[0], tokens[0]},
          .rejected = {policy[1], reference[1], tokens[1]}};
}

PairLoss loss_of(const Json& json) {
  const auto name = get<std::string>(json, "loss", "fixture");
  const Json options = get<Json>(json, "options", "fixture");
  const auto number = [&](std::string_view key) { return get<double>(options, key, "fixture"); };
  const PairLogProbs pair = pair_of(json);
  if (name == "orpo") return orpo(pair, number("beta"));
  if (name == "simpo") return simpo(pair, number("beta"), number("gamma"));
  if (name == "bradley_terry")
    return bradley_terry(pair.chosen.policy, pair.rejected.policy, number("margin"),
                         number("centring"));
  if (name == "kto") {
    const Verdict verdict =
        get<bool>(options, "liked", "fixture") ? Verdict::liked : Verdict::disliked;
    const JudgedLoss one = kto(pair.chosen, verdict, number("z0"),
                               {.beta = number("beta"),
                                .liked_weight = number("liked_weight"),
                                .disliked_weight = number("disliked_weight")});
    return {.value = one.value, .d_chosen = one.derivative};
  }
  const DpoOptions dpo{.beta = number("beta"),
                       .label_smoothing = number("label_smoothing"),
                       .length_normalised = get<bool>(options, "length_normalised", "fixture")};
  if (name == "sigmoid_loss") return dpo_sigmoid(pair, dpo);
  if (name == "robust") return dpo_robust(pair, dpo);
  if (name == "hinge") return dpo_hinge(pair, dpo);
  if (name == "ipo") return dpo_ipo(pair, dpo);
  throw std::runtime_error("the fixture has an unknown loss: " + name);
}

TEST(PreferenceLoss, EqualsPyTorchInDoublePrecision) {
  const Json fixture =
      load_json(fs::path(MALSSI_SOURCE_DIR) / "tests/train/preference_fixture.json");
  ASSERT_EQ(fixture.size(), 84u);
  for (const Json& each : fixture) {
    const PairLoss loss = loss_of(each);
    const auto near = [&](double found, double expected, const char* what) {
      EXPECT_NEAR(found, expected, 1e-5 * std::abs(expected) + 1e-12)
          << what << " of " << dump_json(each);
    };
    const auto gradient = get<std::vector<double>>(each, "gradient", "fixture");
    near(loss.value, get<double>(each, "value", "fixture"), "value");
    near(loss.d_chosen, gradient[0], "derivative by chosen");
    near(loss.d_rejected, gradient[1], "derivative by rejected");
  }
}

TEST(PreferenceLoss, StartsAtTheLogarithmOfTwo) {
  const PairLogProbs equal{.chosen = {-12, -12, 5}, .rejected = {-30, -30, 9}};
  EXPECT_NEAR(dpo_sigmoid(equal, {}).value, std::log(2.0), 1e-12);
  EXPECT_NEAR(dpo_robust(equal, {.label_smoothing = 0.2}).value, std::log(2.0), 1e-12);
  EXPECT_EQ(dpo_hinge(equal, {}).value, 1);
  EXPECT_NEAR(dpo_ipo(equal, {.beta = 0.1}).value, 25, 1e-12);
}

TEST(PreferenceLoss, StaysFiniteFarOut) {
  for (const double far : {-5000.0, 5000.0}) {
    const PairLogProbs pair{.chosen = {far, 0, 1}, .rejected = {-far, 0, 1}};
    for (const PairLoss& loss :
         {dpo_sigmoid(pair, {.beta = 1}), simpo(pair, 2, 1), orpo(pair, 0.1)}) {
      EXPECT_TRUE(std::isfinite(loss.value) && std::isfinite(loss.d_chosen) &&
                  std::isfinite(loss.d_rejected));
    }
  }
  const PairLogProbs certain{.chosen = {0, 0, 4}, .rejected = {-9, 0, 3}};
  EXPECT_TRUE(std::isfinite(orpo(certain, 0.1).value));
}

TEST(PreferenceLoss, KtosBaselineIsNeverBelowZero) {
  EXPECT_EQ(kto_baseline({}), 0);
  EXPECT_EQ(kto_baseline({{.policy = -9, .reference = -3}}), 0);
  EXPECT_EQ(kto_baseline({{.policy = -3, .reference = -9}, {.policy = -4, .reference = -6}}), 4);
}

}  // namespace
}  // namespace malssi
