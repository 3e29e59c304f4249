#include "train/run/loop.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <set>
#include <vector>

#include "base/error.h"

namespace malssi {
namespace {

// One weight w with loss (w - target)^2, drawn towards targets that depend on the position alone.
struct Toy : Objective {
  double w = 0, gradient = 0;
  int64_t position = 0;
  std::set<int64_t> bad;           // steps whose loss is not a number
  std::vector<double> val_losses;  // what validations give; empty: none

  double target() const { return std::sin(static_cast<double>(position)); }
  std::optional<StepLoss> accumulate(int64_t step) override {
    const double difference = w - target();
    gradient = 2 * difference;
    ++position;
    const double nan = std::numeric_limits<double>::quiet_NaN();
    return StepLoss{.loss = bad.contains(step) ? nan : difference * difference, .tokens = 10};
  }
  Validation validate() override {
    ++validations;
    if (val_losses.empty()) return {};
    return {.loss = val_losses[std::min(validations, val_losses.size()) - 1]};
  }
  Json state() const override { return position; }
  void restore(const Json& state) override { position = state.get<int64_t>(); }
  size_t validations = 0;

  WeightUpdates updates() {
    return {.clip = [this](double) { return std::abs(gradient); },
            .step = [this](double lr) { w -= lr * gradient; },
            .clear = [this] { gradient = 0; }};
  }
};

struct Log : LoopEvents {
  std::vector<Metrics> metrics;
  std::vector<int64_t> checkpoints, bests, skips;
  int64_t stop_at = -1;  // stop once so many steps were done
  int64_t steps = 0;
  std::vector<LoopState> states;

  void stepped(const LoopState& state, double, double) override { steps = state.step; }
  void skipped(const LoopState& state, double, double) override { skips.push_back(state.step); }
  void validated(const LoopState& state, double, bool is_best) override {
    if (is_best) bests.push_back(state.step);
  }
  void recorded(Metrics record) override { metrics.push_back(std::move(record)); }
  void checkpoint(const LoopState& state) override {
    checkpoints.push_back(state.step);
    states.push_back(state);
  }
  bool stop_requested() override { return stop_at >= 0 && steps >= stop_at; }
};

LoopOptions options(int64_t steps) {
  LoopOptions options;
  options.schedule = {.kind = "linear", .peak = 0.1, .floor = 0, .warmup = 3, .steps = steps};
  options.eval_every = 10;
  options.log_every = 5;
  options.checkpoint_every = 20;
  options.bad_steps = 3;
  return options;
}

std::vector<int64_t> steps_of(const std::vector<Metrics>& metrics) {
  std::vector<int64_t> steps;
  for (const auto& each : metrics) steps.push_back(each.step);
  return steps;
}

TEST(TrainLoop, ValidatesRecordsAndSavesWhenDue) {
  Toy toy;
  toy.val_losses = {5, 4, 4.5, 3};
  Log log;
  TrainLoop loop(options(30), toy.updates(), toy, log);
  EXPECT_EQ(loop.run(), LoopEnd::finished);
  EXPECT_EQ(log.bests, (std::vector<int64_t>{10, 30}));
  EXPECT_EQ(log.checkpoints, (std::vector<int64_t>{20, 30}));
  EXPECT_EQ(steps_of(log.metrics), (std::vector<int64_t>{0, 1, 5, 10, 15, 20, 25, 30}));
  EXPECT_EQ(log.metrics[3].val_loss, 4);
  EXPECT_TRUE(std::isnan(log.metrics[2].val_loss));
  EXPECT_EQ(log.metrics.back().tokens, 300);
  EXPECT_DOUBLE_EQ(log.metrics[1].lr, 0.1 / 4);
}

TEST(TrainLoop, ContinuesFromACheckpointToTheSameWeightAndRecords) {
  Toy whole;
  whole.val_losses = {1};
  Log whole_log;
  TrainLoop(options(37), whole.updates(), whole, whole_log).run();
  for (const int64_t stop : {1, 4, 10, 20, 36}) {
    Toy toy;
    toy.val_losses = {1};
    Log log;
    log.stop_at = stop;
    TrainLoop first(options(37), toy.updates(), toy, log);
    ASSERT_EQ(first.run(), LoopEnd::interrupted);
    ASSERT_EQ(log.states.back().step, stop);

    Toy again;
    again.val_losses = {1};
    again.w = toy.w;
    again.restore(toy.state());
    log.stop_at = -1;
    TrainLoop second(options(37), again.updates(), again, log);
    second.restore(LoopState::from_json(log.states.back().to_json()));
    EXPECT_EQ(second.run(), LoopEnd::finished);
    EXPECT_EQ(again.w, whole.w) << stop;
    EXPECT_EQ(steps_of(log.metrics), steps_of(whole_log.metrics)) << stop;
    EXPECT_EQ(log.metrics.back().loss, whole_log.metrics.back().loss) << stop;
  }
}

TEST(TrainLoop, StopsWhenValidationNoLongerImproves) {
  Toy toy;
  toy.val_losses = {5, 4, 4.1, 4.2, 1};
  Log log;
  auto patient = options(100);
  patient.patience = 2;
  TrainLoop loop(patient, toy.updates(), toy, log);
  EXPECT_EQ(loop.run(), LoopEnd::stopped_early);
  EXPECT_EQ(loop.state().step, 30);
  EXPECT_EQ(loop.state().best_step, 10);
  EXPECT_EQ(log.checkpoints.back(), 30);

  TrainLoop resumed(patient, toy.updates(), toy, log);
  resumed.restore(log.states.back());
  EXPECT_EQ(resumed.run(), LoopEnd::stopped_early);
  EXPECT_EQ(resumed.state().step, 30);
}

TEST(TrainLoop, SkipsAndCountsStepsWhoseLossIsNotANumber) {
  Toy toy;
  toy.bad = {4, 5, 9};
  Log log;
  TrainLoop loop(options(30), toy.updates(), toy, log);
  EXPECT_EQ(loop.run(), LoopEnd::finished);
  EXPECT_EQ(log.skips, (std::vector<int64_t>{5, 6, 10}));
  EXPECT_EQ(loop.state().bad_total, 3);
  EXPECT_TRUE(std::isfinite(toy.w));
  EXPECT_TRUE(std::isfinite(log.metrics.back().loss));
}

TEST(TrainLoop, GivesUpAfterTooManyBadStepsAndSavesNone) {
  Toy toy;
  for (int64_t step = 19; step < 30; ++step) toy.bad.insert(step);
  toy.val_losses = {2, 1, std::numeric_limits<double>::quiet_NaN()};
  Log log;
  TrainLoop loop(options(30), toy.updates(), toy, log);
  try {
    loop.run();
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("3 steps in a row"), std::string::npos);
    EXPECT_NE(std::string(error.what()).find("optim.lr"), std::string::npos);
  }
  EXPECT_TRUE(log.checkpoints.empty());              // step 20 was due, but step 19 was bad
  EXPECT_EQ(log.bests, (std::vector<int64_t>{10}));  // the NaN at step 20 is no best
}

TEST(TrainLoop, ADamagedStateIsRefused) {
  EXPECT_THROW(LoopState::from_json(Json::object()), Error);
  Json json = LoopState{}.to_json();
  json["step"] = "three";
  EXPECT_THROW(LoopState::from_json(json), Error);
}

TEST(TrainLoop, ARunOfNoStepsOnlyValidates) {
  Toy toy;
  toy.val_losses = {2};
  Log log;
  TrainLoop loop(options(0), toy.updates(), toy, log);
  EXPECT_EQ(loop.run(), LoopEnd::finished);
  EXPECT_TRUE(log.bests.empty());
  EXPECT_EQ(steps_of(log.metrics), (std::vector<int64_t>{0}));
  EXPECT_EQ(log.checkpoints, (std::vector<int64_t>{0}));
}

}  // namespace
}  // namespace malssi
