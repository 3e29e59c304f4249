#include <gtest/gtest.h>

#include <cmath>
#include <fstream>

#include "base/json.h"
#include "scratch.h"
#include "train/run/metrics.h"

namespace malssi {
namespace {

Metrics at_step(int64_t step) {
  return {.step = step, .tokens = step * 100, .loss = 4.0 / static_cast<double>(step + 1)};
}

std::vector<int64_t> steps_in(const fs::path& file) {
  std::vector<int64_t> steps;
  for (const Metrics& metrics : read_metrics(file)) steps.push_back(metrics.step);
  return steps;
}

class MetricsFile : public ::testing::Test {
 protected:
  void write_steps(int64_t first, int64_t last, std::optional<int64_t> resumed = {}) {
    MetricsWriter writer(file_, resumed);
    for (int64_t step = first; step <= last; ++step) writer.write(at_step(step));
  }
  void append(std::string_view text) { std::ofstream(file_, std::ios::app) << text; }
  ScratchFolder folder_;
  fs::path file_ = folder_.path() / "metrics.jsonl";
};

TEST(Metrics, EveryLineHasEveryKey) {
  const Json line = parse_json(metrics_line({.step = 7}), "line");
  for (const char* key : {"step", "tokens", "loss", "val_loss", "lr", "grad_norm",
                          "tokens_per_second", "elapsed_seconds", "memory_bytes"})
    EXPECT_TRUE(line.contains(key)) << key;
  EXPECT_TRUE(line["val_loss"].is_null());
}

TEST(Metrics, ALineComesBackAsItWas) {
  const Metrics written = {.step = 3,
                           .tokens = 1'000'000'000'000,
                           .loss = 1.0 / 3,
                           .lr = 6e-4,
                           .grad_norm = 0.1,
                           .tokens_per_second = 12345.6,
                           .elapsed_seconds = 9.5,
                           .memory_bytes = int64_t{3} << 30,
                           .more = {{"utilisation", 0.61}}};
  const Metrics read = parse_metrics_line(metrics_line(written), "line");
  EXPECT_EQ(read.step, 3);
  EXPECT_EQ(read.tokens, 1'000'000'000'000);
  EXPECT_EQ(read.loss, written.loss);
  EXPECT_TRUE(std::isnan(read.val_loss));
  EXPECT_EQ(read.lr, written.lr);
  EXPECT_EQ(read.memory_bytes, int64_t{3} << 30);
  EXPECT_EQ(read.figure("utilisation"), 0.61);
  EXPECT_EQ(read.figure("grad_norm"), 0.1);
  EXPECT_TRUE(std::isnan(read.figure("reward")));
}

TEST(Metrics, ALossThatIsNotFiniteIsNull) {
  const std::string line = metrics_line({.step = 1, .loss = INFINITY});
  EXPECT_NE(line.find("\"loss\":null"), std::string::npos) << line;
}

TEST_F(MetricsFile, ANewRunBeginsAnew) {
  write_steps(1, 5);
  write_steps(1, 2);
  EXPECT_EQ(steps_in(file_), (std::vector<int64_t>{1, 2}));
}

TEST_F(MetricsFile, AResumedRunHasEachStepOnce) {
  write_steps(1, 5);
  write_steps(4, 7, 3);
  EXPECT_EQ(steps_in(file_), (std::vector<int64_t>{1, 2, 3, 4, 5, 6, 7}));
}

TEST_F(MetricsFile, AResumedRunWithoutAFileBeginsOne) {
  write_steps(4, 5, 3);
  EXPECT_EQ(steps_in(file_), (std::vector<int64_t>{4, 5}));
}

TEST_F(MetricsFile, AHalfWrittenLastLineIsLeftOut) {
  write_steps(1, 3);
  append(R"({"step":4,"tok)");
  EXPECT_EQ(steps_in(file_), (std::vector<int64_t>{1, 2, 3}));
  write_steps(4, 5, 3);
  EXPECT_EQ(steps_in(file_), (std::vector<int64_t>{1, 2, 3, 4, 5}));
}

TEST_F(MetricsFile, ADamagedLineNamesFileAndLine) {
  write_steps(1, 2);
  append("what\n");
  const std::string message = error_of([&] { read_metrics(file_); });
  EXPECT_TRUE(contains(message, "metrics.jsonl, line 3")) << message;
  EXPECT_TRUE(is_one_line(message));
}

TEST_F(MetricsFile, StepsOfTheWrongTypeAreAnError) {
  append("{\"step\":\"one\"}\n");
  EXPECT_THROW(read_metrics(file_), Error);
  EXPECT_THROW(parse_metrics_line("[]", "line"), Error);
  EXPECT_THROW(parse_metrics_line("{}", "line"), Error);
}

TEST_F(MetricsFile, StepsMustRise) {
  MetricsWriter writer(file_);
  writer.write(at_step(2));
  EXPECT_THROW(writer.write(at_step(2)), InternalError);
}

TEST_F(MetricsFile, AMissingFileIsAnErrorThatNamesIt) {
  EXPECT_THROW(read_metrics(folder_.path() / "nothing.jsonl"), Error);
}

}  // namespace
}  // namespace malssi
