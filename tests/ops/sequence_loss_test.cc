#include "ops/sequence_loss.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "ops/gradients.h"
#include "ops/loss.h"

namespace malssi {
namespace {

ScoredTokens three_sequences() {
  return {.targets = {0, 1, -1, 10, 4, 4, 2, 3, 9},
          .weights = {1, 1, 1, 1, 0, 1, 0, 0, 1},
          .starts = {0, 4, 6, 9}};
}

// A number that depends on each of the sums in a way of its own.
Tensor mixed(const Tensor& sums) {
  const float a = sums.f32()[0], b = sums.f32()[1], c = sums.f32()[2];
  return known_loss(sums, 0.5 * a * b - 0.25 * c, {0.5f * b, 0.5f * a, -0.25f});
}

TEST(SequenceLogProbs, GradientMatchesFiniteDifferences) {
  const Tensor h = noise({9, 8}, 1).want_grad(), w = noise({11, 8}, 2).want_grad();
  expect_gradients([&] { return mixed(sequence_log_probs(h, w, three_sequences())); },
                   {{"h", h}, {"w", w}});
}

TEST(SequenceLogProbs, GradientMatchesFiniteDifferencesUnderASoftCap) {
  const Tensor h = noise({9, 8}, 1).want_grad(), w = noise({11, 8}, 2).want_grad();
  expect_gradients([&] { return mixed(sequence_log_probs(h, w, three_sequences(), 2.0f)); },
                   {{"h", h}, {"w", w}});
}

TEST(SequenceLogProbs, AreTheSumsOfTheTokensThatAreScored) {
  const Tensor h = noise({9, 8}, 1), w = noise({11, 8}, 2);
  const ScoredTokens tokens = three_sequences();
  std::vector<float> losses;
  lm_loss(h, w, tokens.targets, tokens.weights, 1, &losses);
  const std::vector<float> sums = sequence_log_probs(h, w, tokens).to_vector();
  ASSERT_EQ(sums.size(), 3u);
  EXPECT_NEAR(sums[0], -(losses[0] + losses[1] + losses[3]), 1e-5);
  EXPECT_NEAR(sums[1], -losses[5], 1e-5);
  EXPECT_NEAR(sums[2], -losses[8], 1e-5);
}

TEST(SequenceLogProbs, AreTheSameWhereTheLogitsNeedSeveralChunks) {
  const int64_t N = 300, V = 70000;  // more logits than are computed at once
  const Tensor h = noise({N, 8}, 1), w = noise({V, 8}, 2, 0.1f);
  ScoredTokens tokens{.targets = {}, .weights = std::vector<float>(N, 1), .starts = {0, 7, 150, N}};
  for (int32_t n = 0; n < N; ++n) tokens.targets.push_back(n * 131 % 70000);
  const std::vector<float> sums = sequence_log_probs(h, w, tokens).to_vector();
  const ScoredTokens first{.targets = {tokens.targets.begin(), tokens.targets.begin() + 7},
                           .weights = std::vector<float>(7, 1),
                           .starts = {0, 7}};
  EXPECT_NEAR(sequence_log_probs(h.rows(0, 7), w, first).f32()[0], sums[0], 1e-3);
}

TEST(SequenceLogProbs, RefuseBeginsThatDoNotFit) {
  const Tensor h = noise({9, 8}, 1), w = noise({11, 8}, 2);
  ScoredTokens tokens = three_sequences();
  tokens.starts = {0, 6, 4, 9};
  EXPECT_THROW(sequence_log_probs(h, w, tokens), Error);
  tokens.starts = {0, 4, 8};
  EXPECT_THROW(sequence_log_probs(h, w, tokens), Error);
}

}  // namespace
}  // namespace malssi
