#include <gtest/gtest.h>

#include "eval/machine_speed.h"
#include "eval/model_speed.h"
#include "scratch.h"

namespace malssi {
namespace {

ModelConfig tiny(std::string family) {
  return checked({.family = std::move(family),
                  .vocab = 64,
                  .width = 32,
                  .layers = 2,
                  .heads = 2,
                  .context = 48,
                  .activation = {}});
}

constexpr double kBriefly = 0.01;

TEST(MachineSpeed, HasPositiveFigures) {
  const MachineSpeed speed = measure_machine({.memory_bytes = 12 << 20, .rounds = 1});
  EXPECT_FALSE(speed.processor.empty());
  EXPECT_GT(speed.threads, 0);
  EXPECT_GT(speed.memory_bytes, 1 << 20);
  EXPECT_GT(speed.f32_flops, 1e8);
  EXPECT_GT(speed.read_bytes, 1e7);
  EXPECT_GT(speed.triad_bytes, 1e7);
}

TEST(RoundTimes, CountRoundsAfterTheFirst) {
  int64_t calls = 0;
  const RoundTimes times = measure_rounds([&] { ++calls; }, {.seconds = 0});
  EXPECT_EQ(times.rounds, 3);
  EXPECT_EQ(calls, 4);
  EXPECT_LE(times.best_seconds, times.median_seconds);
}

TEST(RoundTimes, StopWhenAsked) {
  EXPECT_FALSE(error_of([] {
                 measure_rounds([] {}, {.seconds = 60, .cancelled = [] { return true; }});
               }).empty());
}

TEST(ModelSpeed, EveryFamilyIsMeasured) {
  for (const char* family : {"gpt2", "llama"}) {
    const auto model = make_model(tiny(family), DType::f32, 1);
    const SpeedOptions options{.seconds = kBriefly};
    const TrainingSpeed training =
        measure_training(*model, {.rows = 4, .context = 16}, OptimSettings{}, options);
    EXPECT_GT(training.tokens_per_second, 0);
    EXPECT_GT(training.flops, training.tokens_per_second);
    EXPECT_EQ(training.shape.rows % training.shape.rows_at_once, 0);
    EXPECT_GT(measure_prefill(*model, 40, 8, options).tokens_per_second, 0);
    EXPECT_GT(measure_decode(*model, 3, 47, options).tokens_per_second, 0);
    EXPECT_GT(measure_decode(*model, 1, 0, options).read_bytes, 0);
  }
}

TEST(ModelSpeed, WhatDoesNotFitTheContextIsAnError) {
  const auto model = make_model(tiny("llama"), DType::f32, 1);
  const SpeedOptions options{.seconds = kBriefly};
  EXPECT_TRUE(
      contains(error_of([&] { measure_prefill(*model, 49, 0, options); }), "context of 48"));
  EXPECT_TRUE(contains(error_of([&] { measure_decode(*model, 1, 48, options); }), "context"));
  EXPECT_TRUE(contains(error_of([&] {
                         measure_training(*model, {.rows = 1, .context = 64}, OptimSettings{},
                                          options);
                       }),
                       "context"));
  EXPECT_FALSE(error_of([&] {
                 measure_training(*model, {.rows = 0, .context = 16}, OptimSettings{}, options);
               }).empty());
  EXPECT_FALSE(error_of([&] { measure_decode(*model, 0, 8, options); }).empty());
}

}  // namespace
}  // namespace malssi
