// Every target on its seeds, and on what its fuzzer once found (findings/TARGET/NAME).
#include <gtest/gtest.h>

#include "base/file.h"
#include "fuzz/targets.h"

namespace malssi::fuzz {
namespace {

class Replay : public testing::TestWithParam<Target> {};
INSTANTIATE_TEST_SUITE_P(Fuzz, Replay, testing::ValuesIn(targets().begin(), targets().end()),
                         [](const auto& info) { return std::string(info.param.name); });

TEST_P(Replay, AnswersItsSeeds) {
  for (const auto& [name, content] : GetParam().seeds())
    EXPECT_NO_THROW(run(GetParam(), content)) << name;
}

// So that a fuzzer starts from files that are read to their end.
TEST_P(Replay, AcceptsSeedsWhoseNameSaysSo) {
  int64_t accepted = 0;
  for (const auto& [name, content] : GetParam().seeds()) {
    if (!name.starts_with("good")) continue;
    EXPECT_NO_THROW(GetParam().run(content)) << name;
    ++accepted;
  }
  EXPECT_GT(accepted, 0);
}

TEST_P(Replay, AnswersWhatWasFoundOnce) {
  const fs::path folder = fs::path(MALSSI_SOURCE_DIR) / "tests/fuzz/findings" / GetParam().name;
  if (!is_folder(folder)) return;
  for (const auto& file : fs::directory_iterator(folder))
    EXPECT_NO_THROW(run(GetParam(), read_file(file.path()))) << file.path();
}

}  // namespace
}  // namespace malssi::fuzz
