#include "infer/penalties.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/random.h"
#include "infer/dry.h"
#include "infer/sampler.h"

namespace malssi {
namespace {

using Ids = std::vector<int32_t>;
using Logits = std::vector<float>;

Logits penalised(const Ids& history, int64_t answer, const PenaltyOptions& options) {
  Logits logits = {2, 2, 2, -2};
  TokenCounts counts;
  penalise(logits, history, answer, options, counts);
  return logits;
}

TEST(Penalties, PresenceAndFrequencyCountTheAnswerAlone) {
  const PenaltyOptions options{.presence = 0.5, .frequency = 0.25};
  EXPECT_EQ(penalised({0, 0, 1, 1, 3}, 2, options), (Logits{2, 1, 2, -2.75}));
  EXPECT_EQ(penalised({0, 1, 2}, 3, options), (Logits{2, 2, 2, -2}));
}

TEST(Penalties, NegativeOnesAskForRepeats) {
  EXPECT_EQ(penalised({2, 2}, 0, {.frequency = -1}), (Logits{2, 2, 4, -2}));
}

TEST(Penalties, TheWindowForgetsWhatIsOlder) {
  EXPECT_EQ(penalised({0, 1, 2, 3}, 0, {.repetition = 2, .window = 2}), (Logits{2, 2, 1, -4}));
  EXPECT_EQ(penalised({0, 0, 0, 1}, 0, {.frequency = 1, .window = 2}), (Logits{1, 1, 2, -2}));
  EXPECT_EQ(penalised({0, 1}, 0, {.repetition = 2, .window = 9}), (Logits{1, 1, 2, -2}));
}

TEST(Penalties, CountsAreMadeAfresh) {
  TokenCounts counts;
  counts.set(Ids{5, 5, 1});
  EXPECT_EQ(counts.count(5), 2);
  counts.set(Ids{1});
  EXPECT_EQ(counts.count(5), 0);
  EXPECT_EQ(counts.count(1), 1);
  EXPECT_EQ(Ids(counts.distinct().begin(), counts.distinct().end()), (Ids{1}));
}

TEST(LogitBias, ChangesWhatIsChosenAndLeavesTheImpossibleSo) {
  Sampler pushed({.temperature = 0, .bias = {{.id = 1, .bias = 3}}});
  EXPECT_EQ(pushed.sample(Logits{2, 0, 1}), 1);
  Sampler forbidden({.temperature = 0, .bias = {{.id = 0, .bias = -100}}});
  EXPECT_EQ(forbidden.sample(Logits{2, 0, 1}), 2);
  Sampler masked({.temperature = 0, .bias = {{.id = 0, .bias = 1000}}});
  EXPECT_EQ(masked.sample(Logits{-HUGE_VALF, 0, 1}), 2);
}

TEST(LogitBias, OfATokenThatDoesNotExistIsAnError) {
  Sampler sampler({.bias = {{.id = 3, .bias = 1}}});
  EXPECT_THROW(sampler.sample(Logits{2, 0, 1}), Error);
}

// Every position tried, every length counted one token at a time.
Logits dry_by_hand(Logits logits, const Ids& history, const DryOptions& options) {
  const auto size = static_cast<int64_t>(history.size());
  const int64_t begin = options.window > 0 ? std::max<int64_t>(0, size - options.window) : 0;
  const auto at = [&](int64_t i) { return history[static_cast<size_t>(i)]; };
  const auto breaks = [&](int32_t id) {
    return std::count(options.breakers.begin(), options.breakers.end(), id) > 0;
  };
  std::vector<int64_t> longest(logits.size(), 0);
  for (int64_t next = begin + 1; next < size; ++next) {
    int64_t length = 0;
    while (next - 1 - length >= begin && at(next - 1 - length) == at(size - 1 - length) &&
           !breaks(at(size - 1 - length)))
      ++length;
    int64_t& known = longest[static_cast<size_t>(at(next))];
    known = std::max(known, length);
  }
  for (size_t id = 0; id < logits.size(); ++id)
    if (longest[id] >= options.allowed_length)
      logits[id] -= static_cast<float>(
          options.multiplier *
          std::pow(options.base, static_cast<double>(longest[id] - options.allowed_length)));
  return logits;
}

TEST(Dry, PenalisesWhatWouldLengthenARepetition) {
  Logits logits(6, 0);
  penalise_dry(logits, Ids{1, 2, 3, 4, 1, 2, 3}, {.multiplier = 0.8, .base = 2});
  EXPECT_EQ(logits, (Logits{0, 0, 0, 0, -1.6f, 0}));  // "1 2 3" again: one longer than allowed
}

TEST(Dry, DoesNotReachOverABreaker) {
  Logits logits(6, 0);
  penalise_dry(logits, Ids{1, 2, 3, 4, 1, 2, 3}, {.multiplier = 0.8, .base = 2, .breakers = {2}});
  EXPECT_EQ(logits, Logits(6, 0));
}

TEST(Dry, IsWhatTryingEveryPositionGives) {
  Rng rng(5);
  int64_t changed = 0;
  for (int round = 0; round < 300; ++round) {
    Ids history;
    const int64_t length = 1 + static_cast<int64_t>(rng.uniform() * 40);
    for (int64_t i = 0; i < length; ++i) history.push_back(static_cast<int32_t>(rng.uniform() * 3));
    DryOptions options{.multiplier = 0.5, .base = 1.25};
    options.allowed_length = 1 + static_cast<int64_t>(rng.uniform() * 3);
    options.window = round % 2 ? 0 : 20;
    if (round % 3 == 0) options.breakers = {2};
    const Logits before = {1, 2, 3, 4};
    Logits logits = before;
    penalise_dry(logits, history, options);
    const Logits expected = dry_by_hand(before, history, options);
    for (size_t i = 0; i < logits.size(); ++i)
      EXPECT_FLOAT_EQ(logits[i], expected[i]) << "round " << round;
    changed += logits != before;
  }
  EXPECT_GT(changed, 100);
}

TEST(Dry, SurvivesLongRepetitions) {
  const Ids history(5000, 1);
  Logits logits = {0, 0};
  penalise_dry(logits, history, {.multiplier = 1, .base = 4});
  EXPECT_EQ(logits[0], 0);
  EXPECT_LT(logits[1], -1e29f);
  EXPECT_TRUE(std::isfinite(logits[1]));
}

TEST(Dry, BreakersAreTokensThatContainTheText) {
  const auto tokenizer = make_byte_tokenizer();
  const std::vector<std::string> usual = usual_dry_breakers();
  EXPECT_EQ(dry_breaker_ids(*tokenizer, usual), (Ids{'\n', '"', '*', ':'}));
  const std::vector<std::string> empty = {""};
  EXPECT_THROW(dry_breaker_ids(*tokenizer, empty), Error);
}

}  // namespace
}  // namespace malssi
