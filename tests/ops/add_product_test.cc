#include "ops/add_product.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "kernels/gemm.h"
#include "ops/gradients.h"
#include "ops/linear.h"
#include "ops/loss.h"

namespace malssi {
namespace {

TEST(AddProduct, AddsToItsColumnsAlone) {
  const Tensor x = noise({5, 3}, 1), w = noise({4, 3}, 2), y = noise({5, 9}, 3);
  const std::vector<float> before = y.to_vector();
  const std::vector<float> after = add_product_in_place(y, x, w, 2).to_vector();
  for (int64_t n = 0; n < 5; ++n)
    for (int64_t d = 0; d < 9; ++d) {
      double want = before[static_cast<size_t>(n * 9 + d)];
      for (int64_t r = 0; r < 3 && d >= 2 && d < 6; ++r)
        want += double{x.f32()[n * 3 + r]} * w.f32()[(d - 2) * 3 + r];
      EXPECT_NEAR(after[static_cast<size_t>(n * 9 + d)], want, 1e-6);
    }
}

TEST(AddProduct, GradientMatchesFiniteDifferences) {
  Tensor y = noise({4, 6}, 4).want_grad(), x = noise({4, 2}, 5).want_grad(),
         w = noise({3, 2}, 6).want_grad();
  const Tensor identity = Tensor::zeros({6, 6});
  for (int64_t i = 0; i < 6; ++i) identity.f32()[i * 7] = 1;
  const std::vector<int32_t> targets{1, 2, 3, 4};
  const std::vector<float> weights(4, 1);
  expect_gradients(
      [&] {
        const Tensor sum = add_product_in_place(linear(y, identity), x, w, 3);
        return lm_loss(sum, identity, targets, weights, 0.5f);
      },
      {{"y", y}, {"x", x}, {"w", w}});
}

TEST(AddProduct, OfBf16IsNearThatOfF32) {
  if (!has_native_bf16()) GTEST_SKIP() << "no bf16 products here";
  const Tensor x = noise({40, 8}, 1), w = noise({64, 8}, 2), y = noise({40, 96}, 3);
  const Tensor narrow = add_product_in_place(y.to(DType::bf16), x, w.to(DType::bf16), 32);
  const auto got = narrow.to_vector(), want = add_product_in_place(y, x, w, 32).to_vector();
  for (size_t i = 0; i < want.size(); ++i)
    EXPECT_NEAR(got[i], want[i], 0.02 + std::fabs(want[i]) / 64);
}

TEST(AddProduct, ShapesThatDoNotFitAreOurError) {
  const Tensor x = noise({5, 3}, 1), w = noise({4, 3}, 2), y = noise({5, 9}, 3);
  EXPECT_THROW(add_product_in_place(y, x, w, 6), InternalError);
  EXPECT_THROW(add_product_in_place(y, w, w, 0), InternalError);
}

}  // namespace
}  // namespace malssi
