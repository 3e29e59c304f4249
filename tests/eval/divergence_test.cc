#include "eval/divergence.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/error.h"

namespace malssi {
namespace {

std::unique_ptr<Model> drawn(uint64_t seed, int64_t vocab = 19) {
  return make_model({.vocab = vocab,
                     .width = 16,
                     .layers = 1,
                     .heads = 2,
                     .hidden = 24,
                     .context = 32,
                     .activation = {}},
                    DType::f32, seed);
}

const std::vector<int32_t> kIds = {3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8};

TEST(Divergence, OfAContinuationLeavesThePromptOut) {
  const auto one = drawn(1), other = drawn(2);
  const Divergence whole = measure_divergence(*one, *other, kIds, 32);
  const Divergence from_first = measure_continuation(*one, *other, kIds, 1);
  const Divergence answer = measure_continuation(*one, *other, kIds, 8);
  const Divergence prompt = measure_divergence(*one, *other, std::span(kIds).first(8), 32);
  EXPECT_EQ(whole.tokens, 11);
  EXPECT_EQ(answer.tokens, 4);
  EXPECT_DOUBLE_EQ(from_first.divergence, whole.divergence);
  EXPECT_GT(answer.divergence, 0);
  EXPECT_NEAR(prompt.divergence + answer.divergence, whole.divergence, 1e-5);
}

TEST(Divergence, OfAModelFromItselfIsNothing) {
  const auto model = drawn(1), same = drawn(1);
  EXPECT_NEAR(measure_continuation(*model, *same, kIds, 5).mean(), 0, 1e-9);
}

TEST(Divergence, OfTwoVocabulariesIsRefused) {
  const auto one = drawn(1), other = drawn(2, 23);
  EXPECT_THROW(measure_continuation(*one, *other, kIds, 5), Error);
}

}  // namespace
}  // namespace malssi
