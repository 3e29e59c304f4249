#include "ops/experts.h"

#include <gtest/gtest.h>

#include <vector>

#include "ops/gradients.h"
#include "ops/loss.h"

namespace malssi {
namespace {

Tensor to_loss(const Tensor& h) {
  std::vector<int32_t> targets;
  for (int32_t n = 0; n < h.dim(0); ++n) targets.push_back(n % 5);
  const std::vector<float> weights(targets.size(), 1);
  return lm_loss(h, noise({7, h.dim(1)}, 77), targets, weights, 0.5f);
}

TEST(Route, PicksTheLikeliestAndWeighsThem) {
  const Tensor logits = Tensor::from(std::vector<float>{0, 2, 1, -1, 5, 5, 0, 0}, {2, 4});
  const Route plain = route(logits, 2, RouteWeights::probabilities);
  EXPECT_EQ(plain.experts, (std::vector<int32_t>{1, 2, 0, 1}));
  EXPECT_NEAR(plain.weights.f32()[0], 0.6439, 1e-4);
  const Route whole = route(logits, 2, RouteWeights::renormalised);
  EXPECT_NEAR(whole.weights.f32()[0] + whole.weights.f32()[1], 1, 1e-6);
  EXPECT_NEAR(whole.weights.f32()[2], 0.5, 1e-6);
  EXPECT_THROW(route(logits, 5, RouteWeights::probabilities), Error);
}

TEST(Route, GradientMatchesFiniteDifferences) {
  const Tensor logits = noise({6, 5}, 1, 2).want_grad();
  for (const RouteWeights kind : {RouteWeights::probabilities, RouteWeights::renormalised})
    expect_gradients([&] { return to_loss(route(logits, 3, kind).weights); }, {{"logits", logits}},
                     1e-3f);
}

TEST(Sigmoid, GradientMatchesFiniteDifferences) {
  const Tensor x = noise({5, 6}, 1).want_grad();
  expect_gradients([&] { return to_loss(sigmoid(x)); }, {{"x", x}});
}

TEST(Rows, GradientOfTheWayThereAndBackMatchesFiniteDifferences) {
  const Tensor x = noise({5, 8}, 1).want_grad(), weights = noise({5, 2}, 2).want_grad();
  const std::vector<int32_t> first{0, 3, 4}, second{1, 3}, places{1, 6, 8}, others{2, 7};
  expect_gradients(
      [&] {
        Tensor sum = Tensor::zeros({5, 8});
        sum = scatter_rows_in_place(sum, gather_rows(x, first), first, weights, places);
        sum = scatter_rows_in_place(sum, gather_rows(x, second), second, weights, others);
        return to_loss(sum);
      },
      {{"x", x}, {"weights", weights}});
}

}  // namespace
}  // namespace malssi
