#include "eval/windows.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace malssi {
namespace {

int64_t scored(const std::vector<Window>& windows) {
  int64_t sum = 0;
  for (const Window& window : windows) sum += window.scored();
  return sum;
}

TEST(Windows, WithoutOverlapEachScoresOneFewerThanItHolds) {
  const auto windows = plan_windows(10, 4, 4);
  ASSERT_EQ(windows.size(), 3u);
  EXPECT_EQ(windows[0].first_scored, 1);
  EXPECT_EQ(windows[1].begin, 4);
  EXPECT_EQ(windows[1].first_scored, 5);
  EXPECT_EQ(windows[2].end, 10);
  EXPECT_EQ(scored(windows), 3 + 3 + 1);
}

TEST(Windows, WithAStrideOnlyNewTokensAreScored) {
  const auto windows = plan_windows(10, 4, 2);
  ASSERT_EQ(windows.size(), 4u);
  EXPECT_EQ(windows[1].begin, 2);
  EXPECT_EQ(windows[1].first_scored, 4);
  EXPECT_EQ(windows[1].end, 6);
  EXPECT_EQ(scored(windows), 9);  // all but the text's first
}

TEST(Windows, EveryStrideScoresEachTokenAtMostOnceAndInOrder) {
  for (int64_t tokens = 0; tokens < 40; ++tokens) {
    for (int64_t length = 2; length < 12; ++length) {
      for (int64_t stride = 1; stride <= length; ++stride) {
        int64_t next = 1;
        for (const Window& window : plan_windows(tokens, length, stride)) {
          EXPECT_LE(window.end - window.begin, length);
          EXPECT_GT(window.first_scored, window.begin);
          EXPECT_GT(window.end, window.first_scored);
          EXPECT_GE(window.first_scored, next);
          EXPECT_LE(window.end, tokens);
          if (stride < length) {
            EXPECT_EQ(window.first_scored, next);
          }
          next = window.end;
        }
        if (stride < length && tokens > 1) {
          EXPECT_EQ(next, tokens);
        }
      }
    }
  }
}

TEST(Windows, ATextOfOneTokenHasNothingToScore) {
  EXPECT_TRUE(plan_windows(0, 4, 4).empty());
  EXPECT_TRUE(plan_windows(1, 4, 4).empty());
  // Nor has a last window of one token.
  EXPECT_EQ(plan_windows(5, 4, 4).size(), 1u);
}

TEST(Windows, RefuseImpossibleSizes) {
  EXPECT_THROW(plan_windows(10, 1, 1), Error);
  EXPECT_THROW(plan_windows(10, 4, 0), Error);
  EXPECT_THROW(plan_windows(10, 4, 5), Error);
}

TEST(Words, AreWhatWhiteSpaceSeparates) {
  EXPECT_EQ(count_words(""), 0);
  EXPECT_EQ(count_words("  \n\t "), 0);
  EXPECT_EQ(count_words("one"), 1);
  EXPECT_EQ(count_words(" one  two\nthree "), 3);
  EXPECT_EQ(count_words("말을 하는\u3000씨앗\u00A0셋"), 4);
  EXPECT_EQ(count_words("bad\xFF byte"), 2);
}

}  // namespace
}  // namespace malssi
