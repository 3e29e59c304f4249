#include "ops/principal.h"

#include <gtest/gtest.h>

#include <cmath>

namespace malssi {
namespace {

// Also made with numpy, for the singular values below: numpy.linalg.svd in float64.
Tensor matrix() {
  const Tensor w = Tensor::empty({24, 40});
  for (int64_t i = 0; i < w.size(); ++i)
    w.f32()[i] = static_cast<float>(((i * 7919 + i * i * 31) % 101 - 50) / 50.0);
  return w;
}

double residual(const Tensor& w, const PrincipalParts& parts) {
  double sum = 0;
  for (int64_t i = 0; i < w.dim(0); ++i)
    for (int64_t j = 0; j < w.dim(1); ++j) {
      double rest = w.f32()[i * w.dim(1) + j];
      for (size_t r = 0; r < parts.values.size(); ++r)
        rest -= double{parts.values[r]} * parts.left.f32()[static_cast<int64_t>(r) * w.dim(0) + i] *
                parts.right.f32()[static_cast<int64_t>(r) * w.dim(1) + j];
      sum += rest * rest;
    }
  return std::sqrt(sum);
}

TEST(PrincipalParts, AreNumpys) {
  const PrincipalParts parts = principal_parts(matrix(), 4, 1);
  const std::vector<double> want = {7.10964292, 6.66961436, 5.90414708, 5.52426176};
  for (size_t i = 0; i < 4; ++i) EXPECT_NEAR(parts.values[i], want[i], 1e-3 * want[i]) << i;
  EXPECT_NEAR(residual(matrix(), parts), 13.940774768909685, 1e-3);
}

TEST(PrincipalParts, AreOrthogonalUnitVectors) {
  const PrincipalParts parts = principal_parts(matrix(), 24, 2);
  for (const Tensor& side : {parts.left, parts.right})
    for (int64_t i = 0; i < 24; ++i)
      for (int64_t j = 0; j <= i; ++j) {
        double sum = 0;
        for (int64_t k = 0; k < side.dim(1); ++k)
          sum += double{side.f32()[i * side.dim(1) + k]} * side.f32()[j * side.dim(1) + k];
        EXPECT_NEAR(sum, i == j ? 1 : 0, 1e-4);
      }
  EXPECT_LT(residual(matrix(), parts), 1e-4);
}

TEST(PrincipalParts, OfAMatrixOfLowRankAreAllThereIs) {
  Tensor w = Tensor::empty({30, 20});
  for (int64_t i = 0; i < 30; ++i)
    for (int64_t j = 0; j < 20; ++j)
      w.f32()[i * 20 + j] =
          static_cast<float>(std::sin(0.3 * static_cast<double>(i)) * static_cast<double>(j) +
                             std::cos(static_cast<double>(i)));
  const PrincipalParts parts = principal_parts(w, 5, 3);
  EXPECT_LT(residual(w, parts), 1e-3);
  EXPECT_GT(parts.values[1], 1);
  EXPECT_LT(parts.values[2], 1e-3);
  const PrincipalParts none = principal_parts(Tensor::zeros({6, 7}), 3, 1);
  for (const float value : none.values) EXPECT_EQ(value, 0);
}

}  // namespace
}  // namespace malssi
