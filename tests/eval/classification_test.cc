#include "eval/classification.h"

#include <gtest/gtest.h>

#include <cmath>

namespace malssi {
namespace {

TEST(Confusion, CountsGiveAccuracyPrecisionRecallAndF1) {
  Confusion confusion(3);  // the third class never occurs
  for (int i = 0; i < 6; ++i) confusion.add(0, 0);
  for (int i = 0; i < 2; ++i) confusion.add(0, 1);
  for (int i = 0; i < 3; ++i) confusion.add(1, 1);
  confusion.add(1, 0);
  EXPECT_EQ(confusion.count(), 12);
  EXPECT_DOUBLE_EQ(confusion.accuracy(), 9.0 / 12);
  EXPECT_DOUBLE_EQ(confusion.precision(0), 6.0 / 7);
  EXPECT_DOUBLE_EQ(confusion.recall(0), 6.0 / 8);
  EXPECT_DOUBLE_EQ(confusion.f1(0), 12.0 / 15);
  EXPECT_DOUBLE_EQ(confusion.f1(1), 6.0 / 9);
  EXPECT_DOUBLE_EQ(confusion.macro_f1(), (12.0 / 15 + 6.0 / 9) / 2);
  EXPECT_EQ(confusion.f1(2), 0);
  // Wilson's interval of 9 of 12, as statsmodels' proportion_confint has it.
  EXPECT_NEAR(confusion.interval().low, 0.46769, 1e-5);
  EXPECT_NEAR(confusion.interval().high, 0.91106, 1e-5);
  EXPECT_EQ(Confusion(2).accuracy(), 0);
}

TEST(RegressionScores, AreThoseOfTheirFormulas) {
  const RegressionScores found = regression_scores({1, 2, 3, 4}, {2, 2, 5, 4});
  EXPECT_DOUBLE_EQ(found.mean_squared_error, 5.0 / 4);
  EXPECT_DOUBLE_EQ(found.r_squared, 0);
  EXPECT_NEAR(found.pearson, 4.5 / std::sqrt(5 * 6.75), 1e-12);
  EXPECT_NEAR(found.spearman, 3.5 / std::sqrt(5 * 4.5), 1e-12);  // ranks 0.5, 0.5, 3, 2
  EXPECT_TRUE(std::isnan(regression_scores({1, 1}, {1, 2}).r_squared));
}

}  // namespace
}  // namespace malssi
