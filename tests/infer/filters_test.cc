// The filters beyond top-k, top-p and min-p, against their definitions in plain double arithmetic.
#include "infer/filters.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/error.h"
#include "infer/mirostat.h"
#include "infer/sampler.h"

namespace malssi {
namespace {

using Ids = std::vector<int32_t>;

std::vector<float> logits_of(const std::vector<double>& probabilities) {
  std::vector<float> logits;
  for (const double p : probabilities) logits.push_back(static_cast<float>(std::log(p)));
  return logits;
}

Ids ids_of(const std::vector<Candidate>& all) {
  Ids ids;
  for (const Candidate& c : all) ids.push_back(c.id);
  return ids;
}

std::vector<float> normal_logits(uint64_t seed, size_t count) {
  Rng rng(seed);
  std::vector<float> logits(count);
  for (float& x : logits) x = static_cast<float>(2 * rng.normal());
  return logits;
}

std::vector<double> softmax(const std::vector<float>& logits, double temperature) {
  std::vector<double> p;
  for (const float x : logits) p.push_back(std::exp(x / temperature));
  const double total = std::accumulate(p.begin(), p.end(), 0.0);
  for (double& x : p) x /= total;
  return p;
}

TEST(TypicalP, MayDropTheLikeliestToken) {
  // Entropy 1.35 nats; surprises 0.69, 1.90, 1.90, 1.90, 3.0: the three in the middle are nearest.
  const auto all = candidates(logits_of({0.5, 0.15, 0.15, 0.15, 0.05}), {.typical_p = 0.4});
  EXPECT_EQ(ids_of(all), (Ids{1, 2, 3}));
  EXPECT_NEAR(all[0].probability, 1.0 / 3, 1e-6);
}

TEST(TypicalP, IsItsDefinition) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const auto logits = normal_logits(seed, 50);
    const auto p = softmax(logits, 1.3);
    double entropy = 0;
    for (const double x : p) entropy -= x * std::log(x);
    Ids order(p.size());
    std::iota(order.begin(), order.end(), 0);
    const auto distance = [&](int32_t id) {
      return std::abs(std::log(p[static_cast<size_t>(id)]) + entropy);
    };
    std::sort(order.begin(), order.end(),
              [&](int32_t a, int32_t b) { return distance(a) < distance(b); });
    Ids kept;
    double reached = 0;
    for (const int32_t id : order) {
      kept.push_back(id);
      if ((reached += p[static_cast<size_t>(id)]) >= 0.7) break;
    }
    Ids found = ids_of(candidates(logits, {.temperature = 1.3, .typical_p = 0.7}));
    std::sort(found.begin(), found.end());
    std::sort(kept.begin(), kept.end());
    EXPECT_EQ(found, kept) << "seed " << seed;
  }
}

TEST(TopNSigma, KeepsLogitsNearTheBest) {
  // Mean 2, deviation sqrt(11): one below 8 is 4.68.
  const std::vector<float> logits = {8, 0, 0, 0, 5, -1};
  EXPECT_EQ(ids_of(candidates(logits, {.top_n_sigma = 1})), (Ids{0, 4}));
  EXPECT_EQ(ids_of(candidates(logits, {.top_n_sigma = 0.5})), (Ids{0}));
  EXPECT_EQ(candidates(logits, {.top_n_sigma = 9}).size(), 6u);
}

TEST(TopNSigma, IsTheSameAtEveryTemperatureAndBesideImpossibleTokens) {
  for (uint64_t seed = 0; seed < 10; ++seed) {
    std::vector<float> logits = normal_logits(seed, 100);
    const Ids cold = ids_of(candidates(logits, {.temperature = 0.5, .top_n_sigma = 1}));
    EXPECT_EQ(ids_of(candidates(logits, {.temperature = 5, .top_n_sigma = 1})), cold);
    EXPECT_LT(cold.size(), 50u);
    logits.push_back(-HUGE_VALF);
    EXPECT_EQ(ids_of(candidates(logits, {.top_n_sigma = 1})), cold);
  }
}

TEST(Xtc, LeavesTheLeastOfTheTopChoices) {
  auto all = candidates(logits_of({0.4, 0.3, 0.2, 0.1}), {.top_k = 4});
  exclude_top_choices(all, 0.15);
  EXPECT_EQ(ids_of(all), (Ids{2, 3}));
  EXPECT_NEAR(all[0].probability, 2.0 / 3, 1e-6);
}

TEST(Xtc, LeavesASingleTopChoiceAlone) {
  auto all = candidates(logits_of({0.6, 0.2, 0.1, 0.1}), {.top_k = 4});
  exclude_top_choices(all, 0.3);
  EXPECT_EQ(ids_of(all), (Ids{0, 1, 2, 3}));
}

TEST(Xtc, HappensAsOftenAsItsProbability) {
  const auto logits = logits_of({0.5, 0.5});  // the first goes, or either is drawn
  Sampler sampler({.xtc = {.probability = 0.6, .threshold = 0.4}, .seed = 4});
  int first = 0;
  constexpr int kDraws = 20000;
  for (int i = 0; i < kDraws; ++i) first += sampler.sample(logits) == 0;
  EXPECT_NEAR(first, 0.2 * kDraws, 4 * std::sqrt(0.16 * kDraws));
}

TEST(Mirostat, DropsWhatSurprisesMoreThanTwiceTau) {
  Mirostat mirostat({.tau = 1});
  auto all = candidates(logits_of({0.5, 0.3, 0.15, 0.05}), {});
  mirostat.keep(all);  // surprises 1, 1.74, 2.74, 4.32 bits
  ASSERT_EQ(ids_of(all), (Ids{0, 1}));
  EXPECT_NEAR(all[0].probability, 0.625, 1e-6);
  mirostat.drew(0.5);
  EXPECT_NEAR(mirostat.bound(), 2.0, 1e-9);
  mirostat.drew(0.125);  // 3 bits: 2 too many
  EXPECT_NEAR(mirostat.bound(), 1.8, 1e-9);
}

TEST(Mirostat, AlwaysLeavesTheLikeliest) {
  Mirostat mirostat({.tau = 0.01});
  auto all = candidates(std::vector<float>{1, 1, 1, 1}, {});
  mirostat.keep(all);
  EXPECT_EQ(ids_of(all), (Ids{0}));
}

TEST(Mirostat, HoldsTheSurprise) {
  const auto logits = normal_logits(9, 2000);
  const auto p = softmax(logits, 1.0);
  for (const double tau : {3.0, 5.0}) {
    Sampler sampler({.top_k = 1, .mirostat = {.tau = tau}, .seed = 2});
    Mirostat bound({.tau = tau});
    double surprise = 0;
    constexpr int kDraws = 4000;
    for (int i = 0; i < kDraws; ++i) {
      std::vector<Candidate> all = candidates(logits, {});
      bound.keep(all);
      const int32_t id = sampler.sample(logits);
      const auto drawn =
          std::find_if(all.begin(), all.end(), [&](const Candidate& c) { return c.id == id; });
      ASSERT_NE(drawn, all.end()) << "outside the bound";
      surprise -= std::log2(drawn->probability);
      bound.drew(drawn->probability);
    }
    EXPECT_NEAR(surprise / kDraws, tau, 0.1);
  }
}

TEST(SamplingOptions, RefuseImpossibleSettings) {
  const SamplingOptions wrong[] = {
      {.typical_p = 0},
      {.typical_p = 1.1},
      {.top_n_sigma = -1},
      {.xtc = {.probability = 1.5}},
      {.xtc = {.threshold = -0.1}},
      {.mirostat = {.tau = -1}},
      {.mirostat = {.eta = std::nan("")}},
      {.penalty = {.presence = 2.5}},
      {.penalty = {.frequency = -3}},
      {.penalty = {.window = -1}},
      {.dry = {.multiplier = -1}},
      {.dry = {.base = 0.5}},
      {.dry = {.allowed_length = 0}},
      {.dry = {.window = -1}},
      {.bias = {{.id = 0, .bias = HUGE_VAL}}},
  };
  for (const SamplingOptions& options : wrong) EXPECT_THROW(check_sampling(options), Error);
}

}  // namespace
}  // namespace malssi
