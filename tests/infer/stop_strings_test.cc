#include "infer/stop_strings.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/random.h"

namespace malssi {
namespace {

TEST(StopStrings, LetTextThroughAtOnceWhenNothingCanMatch) {
  StopStrings stops({"END"});
  EXPECT_EQ(stops.push("hello "), "hello ");
  EXPECT_EQ(stops.push("world"), "world");
  EXPECT_EQ(stops.finish(), "");
  EXPECT_FALSE(stops.stopped());
}

TEST(StopStrings, HoldBackWhatMayBecomeAStopString) {
  StopStrings stops({"END"});
  EXPECT_EQ(stops.push("the E"), "the ");
  EXPECT_EQ(stops.push("N"), "");
  EXPECT_EQ(stops.push("O!"), "ENO!");
}

TEST(StopStrings, StopAcrossPiecesAndPrintNothingOfIt) {
  StopStrings stops({"\n\nUser:"});
  EXPECT_EQ(stops.push("yes.\n"), "yes.");
  EXPECT_EQ(stops.push("\nUs"), "");
  EXPECT_EQ(stops.push("er: and more"), "");
  EXPECT_TRUE(stops.stopped());
  EXPECT_EQ(stops.found(), "\n\nUser:");
  EXPECT_EQ(stops.push("more"), "");
  EXPECT_EQ(stops.finish(), "");
}

TEST(StopStrings, ReleaseHeldTextAtTheEnd) {
  StopStrings stops({"abc"});
  EXPECT_EQ(stops.push("xab"), "x");
  EXPECT_EQ(stops.finish(), "ab");
}

TEST(StopStrings, TakeTheOneThatIsCompletedFirst) {
  StopStrings stops({"later", "at"});
  EXPECT_EQ(stops.push("see you later"), "see you l");
  EXPECT_EQ(stops.found(), "at");
}

TEST(StopStrings, TakeTheLongestOfThoseThatEndTogether) {
  StopStrings stops({"b", "ab"});
  EXPECT_EQ(stops.push("xxab"), "xx");
  EXPECT_EQ(stops.found(), "ab");
}

TEST(StopStrings, OverlappingBeginningsAreNotMissed) {
  StopStrings stops({"aab"});
  EXPECT_EQ(stops.push("aa"), "");
  EXPECT_EQ(stops.push("a"), "a");
  EXPECT_EQ(stops.push("b"), "");
  EXPECT_TRUE(stops.stopped());
}

TEST(StopStrings, RefuseAnEmptyString) { EXPECT_THROW(StopStrings({"a", ""}), Error); }

TEST(StopStrings, GiveTheSameTextHoweverItIsCut) {
  Rng rng(11);
  const std::vector<std::vector<std::string>> sets = {{"ab"}, {"aba", "b"}, {"bb", "abab", "ca"}};
  for (int trial = 0; trial < 2000; ++trial) {
    std::string text;
    for (int64_t i = rng.below(14); i > 0; --i) text += static_cast<char>('a' + rng.below(3));
    const auto& set = rng.pick(sets);
    StopStrings whole(set), cut(set);
    std::string expected = whole.push(text);
    if (!whole.stopped()) expected += whole.finish();
    std::string got;
    for (size_t at = 0; at < text.size() && !cut.stopped();) {
      const auto n = static_cast<size_t>(1 + rng.below(3));
      got += cut.push(std::string_view(text).substr(at, n));
      at += n;
    }
    if (!cut.stopped()) got += cut.finish();
    EXPECT_EQ(got, expected) << text;
    EXPECT_EQ(cut.found(), whole.found()) << text;
  }
}

}  // namespace
}  // namespace malssi
