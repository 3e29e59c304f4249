#include "ops/columns.h"

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

TEST(AddColumns, AddsToTheseColumnsOfTheseRowsOnly) {
  for (const DType dtype : {DType::f32, DType::bf16}) {
    const Tensor y = Tensor::full({3, 4}, 1).to(dtype).clone();
    const Tensor x = Tensor::from(std::vector<float>{1, 2, 3, 4}, {2, 2});
    const std::vector<int32_t> rows{0, 2};
    EXPECT_EQ(add_columns_in_place(y, x, rows, 1).to_vector(),
              (std::vector<float>{1, 2, 3, 1, 1, 1, 1, 1, 1, 4, 5, 1}));
    EXPECT_THROW(add_columns_in_place(y, x, rows, 3), InternalError);
    EXPECT_THROW(add_columns_in_place(y, x, std::vector<int32_t>{0, 3}, 1), InternalError);
  }
}

TEST(AddColumns, GradientMatchesFiniteDifferences) {
  const Tensor y = noise({4, 6}, 1).want_grad(), x = noise({2, 3}, 2).want_grad();
  const std::vector<int32_t> rows{1, 3};
  const std::vector<float> ones(4, 1), factors{0.5f, -2};
  expect_gradients(
      [&] {
        return to_loss(
            add_columns_in_place(scaled_rows(y, ones), scaled_rows(x, factors), rows, 2));
      },
      {{"y", y}, {"x", x}});
}

}  // namespace
}  // namespace malssi
