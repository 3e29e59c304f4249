#include "ops/sequence_score.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "ops/gradients.h"
#include "ops/sequence_loss.h"

namespace malssi {
namespace {

TEST(SequenceScores, GradientMatchesFiniteDifferences) {
  const Tensor h = noise({9, 8}, 1).want_grad(), w = noise({1, 8}, 2).want_grad();
  const std::vector<int32_t> starts = {0, 4, 5, 9};
  expect_gradients(
      [&] {
        const Tensor scores = sequence_scores(h, w, starts);
        const float a = scores.f32()[0], b = scores.f32()[1], c = scores.f32()[2];
        return known_loss(scores, a * b + 2 * c, {b, a, 2});
      },
      {{"h", h}, {"w", w}});
}

TEST(SequenceScores, AreTheLastTokensAlone) {
  const Tensor h = noise({5, 4}, 1), w = noise({1, 4}, 2);
  const std::vector<int32_t> starts = {0, 2, 5};
  const Tensor scores = sequence_scores(h, w, starts);
  for (const auto& [sequence, token] : {std::pair{0, 1}, std::pair{1, 4}}) {
    float expected = 0;
    for (int64_t d = 0; d < 4; ++d) expected += h.f32()[token * 4 + d] * w.f32()[d];
    EXPECT_NEAR(scores.f32()[sequence], expected, 1e-5);
  }
}

TEST(SequenceScores, RefuseEmptySequencesAndOtherWidths) {
  const Tensor h = noise({5, 4}, 1);
  const std::vector<int32_t> empty = {0, 2, 2, 5}, fits = {0, 5};
  EXPECT_THROW(sequence_scores(h, noise({1, 4}, 2), empty), Error);
  EXPECT_THROW(sequence_scores(h, noise({1, 5}, 2), fits), Error);
}

}  // namespace
}  // namespace malssi
