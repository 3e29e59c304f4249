#include "infer/sampler.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/error.h"
#include "infer/logprobs.h"

namespace malssi {
namespace {

std::vector<float> logits_of(const std::vector<double>& probabilities) {
  std::vector<float> logits;
  for (const double p : probabilities) logits.push_back(static_cast<float>(std::log(p)));
  return logits;
}

std::vector<int32_t> ids_of(const std::vector<Candidate>& all) {
  std::vector<int32_t> ids;
  for (const Candidate& c : all) ids.push_back(c.id);
  return ids;
}

using Ids = std::vector<int32_t>;

TEST(Candidates, AreTheSoftmaxInOrderOfIdWithoutFilters) {
  const auto all = candidates(logits_of({0.1, 0.6, 0.3}), {});
  ASSERT_EQ(ids_of(all), (Ids{0, 1, 2}));
  EXPECT_NEAR(all[0].probability, 0.1, 1e-6);
  EXPECT_NEAR(all[1].probability, 0.6, 1e-6);
  EXPECT_NEAR(all[2].probability, 0.3, 1e-6);
}

TEST(Candidates, TemperatureDividesTheLogits) {
  const auto all = candidates(std::vector<float>{1.0f, 3.0f}, {.temperature = 0.5});
  EXPECT_NEAR(all[1].probability, 1.0 / (1.0 + std::exp(-4.0)), 1e-9);
}

TEST(Candidates, ATinyTemperatureLeavesTheBestTokenOnly) {
  const auto all = candidates(std::vector<float>{1.0f, 1.1f, -5.0f}, {.temperature = 1e-300});
  EXPECT_EQ(all[1].probability, 1.0);
  EXPECT_EQ(all[0].probability, 0.0);
}

TEST(Candidates, TopKKeepsTheKBest) {
  const auto all = candidates(logits_of({0.1, 0.4, 0.2, 0.3}), {.top_k = 2});
  ASSERT_EQ(ids_of(all), (Ids{1, 3}));
  EXPECT_NEAR(all[0].probability, 4.0 / 7, 1e-6);
}

TEST(Candidates, TopKKeepsTiesWithTheKth) {
  const std::vector<float> logits = {1, 2, 1, 0, 1};
  EXPECT_EQ(ids_of(candidates(logits, {.top_k = 2})), (Ids{1, 0, 2, 4}));
  EXPECT_EQ(ids_of(candidates(logits, {.top_k = 1})), (Ids{1}));
  EXPECT_EQ(candidates(logits, {.top_k = 99}).size(), 5u);
}

TEST(Candidates, TopPKeepsTheTokenThatCrosses) {
  const auto logits = logits_of({0.15, 0.5, 0.25, 0.1});
  EXPECT_EQ(ids_of(candidates(logits, {.top_p = 0.4})), (Ids{1}));
  EXPECT_EQ(ids_of(candidates(logits, {.top_p = 0.6})), (Ids{1, 2}));
  EXPECT_EQ(ids_of(candidates(logits, {.top_p = 0.8})), (Ids{1, 2, 0}));
  EXPECT_EQ(ids_of(candidates(logits, {.top_p = 0.95})), (Ids{1, 2, 0, 3}));
  EXPECT_EQ(ids_of(candidates(logits, {.top_p = 1e-9})), (Ids{1}));
}

TEST(Candidates, TopPCountsWhatTopKLeft) {
  // Of 0.4 + 0.3 the first is 57%: enough for 0.55, although it is 40% of all.
  const auto logits = logits_of({0.4, 0.3, 0.2, 0.1});
  EXPECT_EQ(ids_of(candidates(logits, {.top_k = 2, .top_p = 0.55})), (Ids{0}));
  EXPECT_EQ(ids_of(candidates(logits, {.top_p = 0.55})), (Ids{0, 1}));
}

TEST(Candidates, MinPDropsTokensBelowAShareOfTheBest) {
  const auto logits = logits_of({0.5, 0.3, 0.15, 0.05});
  EXPECT_EQ(ids_of(candidates(logits, {.min_p = 0.2})), (Ids{0, 1, 2}));
  EXPECT_EQ(ids_of(candidates(logits, {.min_p = 0.4})), (Ids{0, 1}));
  EXPECT_EQ(ids_of(candidates(std::vector<float>{2, 2, 1}, {.min_p = 1.0})), (Ids{0, 1}));
}

TEST(Candidates, TemperatureComesBeforeTheFilters) {
  const auto logits = logits_of({0.6, 0.3, 0.1});
  EXPECT_EQ(ids_of(candidates(logits, {.temperature = 1, .min_p = 0.4})), (Ids{0, 1}));
  EXPECT_EQ(ids_of(candidates(logits, {.temperature = 0.5, .min_p = 0.4})), (Ids{0}));
}

TEST(Candidates, ImpossibleTokensStayImpossible) {
  const float never = -std::numeric_limits<float>::infinity();
  for (uint64_t seed = 0; seed < 200; ++seed) {
    Sampler sampler({.temperature = 3.0, .seed = seed});
    EXPECT_EQ(sampler.sample(std::vector<float>{never, 0.5f, never}), 1);
  }
}

TEST(RepetitionPenalty, DividesPositiveAndMultipliesNegativeLogits) {
  std::vector<float> logits = {2.0f, -2.0f, 0.0f, 3.0f};
  penalise_repetition(logits, Ids{0, 1, 2}, 2.0);
  EXPECT_EQ(logits, (std::vector<float>{1.0f, -4.0f, 0.0f, 3.0f}));
}

TEST(RepetitionPenalty, CountsEachTokenOnceHoweverOftenItCame) {
  const std::vector<float> logits = {3.0f, 1.6f};
  Sampler once({.temperature = 0, .penalty = {.repetition = 1.5}});
  once.see(Ids{0, 0, 0, 0});
  EXPECT_EQ(once.sample(logits), 0);  // 3 / 1.5 = 2 > 1.6; applied twice it would be 1.33
}

TEST(RepetitionPenalty, CountsPromptAndAnswer) {
  const std::vector<float> logits = {3.0f, 2.9f, 2.8f};
  Sampler sampler({.temperature = 0, .penalty = {.repetition = 2.0}});
  sampler.see(Ids{0});
  EXPECT_EQ(sampler.sample(logits), 1);
  EXPECT_EQ(sampler.sample(logits), 2);
  EXPECT_EQ(sampler.sample(logits), 0);  // all are penalised by now
}

TEST(Sampler, GreedyTakesTheLowestIdAmongEquals) {
  Sampler sampler({.temperature = 0});
  EXPECT_EQ(sampler.sample(std::vector<float>{1, 5, 5, 2}), 1);
}

TEST(Sampler, SameSeedSameTokens) {
  const auto logits = logits_of({0.3, 0.3, 0.2, 0.2});
  Sampler a({.seed = 7}), b({.seed = 7}), c({.seed = 8});
  bool differs = false;
  for (int i = 0; i < 50; ++i) {
    const int32_t token = a.sample(logits);
    EXPECT_EQ(token, b.sample(logits));
    differs |= token != c.sample(logits);
  }
  EXPECT_TRUE(differs);
}

TEST(Sampler, DrawsAsOftenAsTheProbabilitiesSay) {
  const std::vector<double> probabilities = {0.5, 0.05, 0.25, 0.2};
  const auto logits = logits_of(probabilities);
  Sampler sampler({.seed = 3});
  constexpr int kDraws = 40000;
  std::vector<int> counts(4);
  for (int i = 0; i < kDraws; ++i) ++counts[static_cast<size_t>(sampler.sample(logits))];
  double chi_squared = 0;
  for (size_t i = 0; i < 4; ++i) {
    const double expected = kDraws * probabilities[i];
    chi_squared += (counts[i] - expected) * (counts[i] - expected) / expected;
  }
  EXPECT_LT(chi_squared, 16.3);  // 3 degrees of freedom, one in a thousand
}

TEST(Sampler, RefusesImpossibleSettings) {
  const float nan = std::nanf("");
  EXPECT_THROW(Sampler({.temperature = -1}), Error);
  EXPECT_THROW(Sampler({.temperature = nan}), Error);
  EXPECT_THROW(Sampler({.top_k = -1}), Error);
  EXPECT_THROW(Sampler({.top_p = 0}), Error);
  EXPECT_THROW(Sampler({.top_p = 1.5}), Error);
  EXPECT_THROW(Sampler({.min_p = -0.1}), Error);
  EXPECT_THROW(Sampler({.penalty = {.repetition = 0}}), Error);
}

TEST(Sampler, RefusesBrokenLogits) {
  const float nan = std::nanf(""), infinity = std::numeric_limits<float>::infinity();
  for (const double temperature : {0.0, 1.0}) {
    Sampler sampler({.temperature = temperature});
    EXPECT_THROW(sampler.sample(std::vector<float>{1, nan, 2}), Error);
    EXPECT_THROW(sampler.sample(std::vector<float>{nan, 1, 2}), Error);
    EXPECT_THROW(sampler.sample(std::vector<float>{1, infinity}), Error);
    EXPECT_THROW(sampler.sample(std::vector<float>{-infinity, -infinity}), Error);
  }
}

TEST(Logprobs, LogSumExpSurvivesLargeLogits) {
  EXPECT_NEAR(log_sum_exp(std::vector<float>{1000, 1000}), 1000 + std::log(2.0), 1e-9);
  EXPECT_NEAR(log_sum_exp(std::vector<float>{-1000, -1000}), -1000 + std::log(2.0), 1e-9);
}

TEST(Logprobs, LogSoftmaxSumsToOne) {
  std::vector<float> row = {0.5f, -1.0f, 3.0f};
  log_softmax(row);
  EXPECT_NEAR(std::exp(row[0]) + std::exp(row[1]) + std::exp(row[2]), 1.0, 1e-6);
  EXPECT_NEAR(row[2] - row[0], 2.5, 1e-6);
}

TEST(Logprobs, TopAlternativesComeBestFirst) {
  const auto top = top_logprobs(logits_of({0.2, 0.1, 0.5, 0.2}), 3);
  ASSERT_EQ(top.size(), 3u);
  EXPECT_EQ(top[0].id, 2);
  EXPECT_EQ(top[1].id, 0);
  EXPECT_EQ(top[2].id, 3);
  EXPECT_NEAR(top[0].logprob, std::log(0.5), 1e-6);
  EXPECT_EQ(top_logprobs(logits_of({0.5, 0.5}), 10).size(), 2u);
}

}  // namespace
}  // namespace malssi
