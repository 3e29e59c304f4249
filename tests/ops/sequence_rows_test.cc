#include "ops/sequence_rows.h"

#include <gtest/gtest.h>

#include "ops/gradients.h"
#include "ops/linear.h"

namespace malssi {
namespace {

const std::vector<int32_t> kStarts = {0, 3, 4, 6};

// A number that depends on every one of x [S, 2].
Tensor summed(const Tensor& x) {
  const Tensor weights = Tensor::from(std::vector<float>{0.7f, -1.3f}, {1, 2});
  return linear(linear(x, weights).view({1, x.dim(0)}),
                Tensor::from(std::vector<float>{1, 2, -3}, {1, 3}));
}

TEST(SequenceMeans, AreTheMeansOfEachSequencesRows) {
  const Tensor h = Tensor::from(std::vector<float>{1, 10, 2, 20, 6, 60, -4, 5, 1, 0, 2, 1}, {6, 2});
  EXPECT_EQ(sequence_means(h, kStarts).to_vector(), (std::vector<float>{3, 30, -4, 5, 1.5f, 0.5f}));
  EXPECT_EQ(sequence_means(h.to(DType::bf16), kStarts).to_vector(),
            (std::vector<float>{3, 30, -4, 5, 1.5f, 0.5f}));
}

TEST(SequenceMeans, GradientMatchesFiniteDifferences) {
  Tensor h = noise({6, 2}, 3);
  h.want_grad();
  expect_gradients([&] { return summed(sequence_means(h, kStarts)); }, {{"h", h}});
}

TEST(SequenceRows, GradientMatchesFiniteDifferences) {
  for (const SequencePlace place : {SequencePlace::first, SequencePlace::last}) {
    Tensor h = noise({6, 2}, 4);
    h.want_grad();
    expect_gradients([&] { return summed(sequence_rows(h, kStarts, place)); }, {{"h", h}});
  }
}

TEST(SequenceMeans, RefusesSequencesThatDoNotFit) {
  const Tensor h = noise({6, 2}, 5);
  for (const std::vector<int32_t>& wrong :
       {std::vector<int32_t>{0}, std::vector<int32_t>{0, 5}, std::vector<int32_t>{1, 6},
        std::vector<int32_t>{0, 3, 3, 6}})
    EXPECT_THROW(sequence_means(h, wrong), Error);
}

}  // namespace
}  // namespace malssi
