#include "optim/schedule.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace malssi {
namespace {

ScheduleOptions hundred(const std::string& kind) {
  return {.kind = kind, .peak = 1.0, .floor = 0.1, .warmup = 10, .steps = 100};
}

TEST(Schedule, WarmUpRisesInEqualStepsAndReachesThePeakAfterIt) {
  for (const auto& kind : schedule_kinds()) {
    Schedule schedule(hundred(kind));
    EXPECT_DOUBLE_EQ(schedule.at(0), 1.0 / 11) << kind;
    EXPECT_DOUBLE_EQ(schedule.at(4), 5.0 / 11) << kind;
    EXPECT_DOUBLE_EQ(schedule.at(10), 1.0) << kind;
  }
}

TEST(Schedule, CosineIsHalfWayInTheMiddleAndEndsAtTheFloor) {
  Schedule schedule(hundred("cosine"));
  EXPECT_NEAR(schedule.at(55), 0.55, 1e-12);
  EXPECT_NEAR(schedule.at(100), 0.1, 1e-12);
  EXPECT_NEAR(schedule.at(32) - 0.55, 0.55 - schedule.at(78), 1e-12);
}

TEST(Schedule, LinearFallsInEqualSteps) {
  Schedule schedule(hundred("linear"));
  EXPECT_NEAR(schedule.at(55), 0.55, 1e-12);
  EXPECT_NEAR(schedule.at(20) - schedule.at(21), schedule.at(90) - schedule.at(91), 1e-12);
}

TEST(Schedule, WarmUpStableDecayHoldsThePeakAndDecaysOverTheLastPart) {
  Schedule schedule(hundred("wsd"));
  EXPECT_DOUBLE_EQ(schedule.at(80), 1.0);
  EXPECT_NEAR(schedule.at(90), 0.55, 1e-12);
  EXPECT_NEAR(schedule.at(100), 0.1, 1e-12);
}

TEST(Schedule, ConstantStaysAtThePeak) {
  Schedule schedule(hundred("constant"));
  EXPECT_DOUBLE_EQ(schedule.at(99), 1.0);
  EXPECT_DOUBLE_EQ(schedule.at(5000), 1.0);
}

TEST(Schedule, StepsPastTheEndKeepTheLastRate) {
  for (const auto& kind : schedule_kinds()) {
    Schedule schedule(hundred(kind));
    EXPECT_DOUBLE_EQ(schedule.at(100), schedule.at(1000)) << kind;
  }
}

TEST(Schedule, AWarmUpLongerThanTheRunOnlyRises) {
  auto options = hundred("cosine");
  options.warmup = 200;
  Schedule schedule(options);
  EXPECT_LT(schedule.at(98), schedule.at(99));
  EXPECT_LT(schedule.at(99), 0.5);
}

TEST(Schedule, ImpossibleFiguresAreRefused) {
  EXPECT_THROW(Schedule({.kind = "cosin"}), Error);
  EXPECT_THROW(Schedule({.peak = -1.0}), Error);
  EXPECT_THROW(Schedule({.peak = 1e-3, .floor = 1e-2}), Error);
  EXPECT_THROW(Schedule({.steps = 0}), Error);
  EXPECT_THROW(Schedule({.warmup = -1}), Error);
  EXPECT_THROW(Schedule({.decay_fraction = 1.5}), Error);
}

}  // namespace
}  // namespace malssi
