#include <gtest/gtest.h>

#include <algorithm>

#include "base/error.h"
#include "data/world/sums.h"

namespace malssi::world {
namespace {

bool before(const Sum& x, const Sum& y) { return x.a != y.a ? x.a < y.a : x.b < y.b; }

TEST(SumSplit, HoldsEachAdditionOnceOnOneSide) {
  SumSplit split = split_sums(1600, 7);
  EXPECT_EQ(split.held_out.size(), 1600u);
  std::vector<Sum> all = split.train;
  all.insert(all.end(), split.held_out.begin(), split.held_out.end());
  std::sort(all.begin(), all.end(), before);
  EXPECT_EQ(all.size(), 8100u);
  EXPECT_EQ(std::adjacent_find(all.begin(), all.end()), all.end());
  EXPECT_EQ(all.front(), (Sum{10, 10}));
  EXPECT_EQ(all.back(), (Sum{99, 99}));
}

TEST(SumSplit, DependsOnTheSeed) {
  EXPECT_EQ(split_sums(100, 7).held_out, split_sums(100, 7).held_out);
  EXPECT_NE(split_sums(100, 7).held_out, split_sums(100, 8).held_out);
}

TEST(SumSplit, RefusesImpossibleCounts) {
  EXPECT_THROW(split_sums(-1, 7), Error);
  EXPECT_THROW(split_sums(8100, 7), Error);
}

TEST(Sums, AreWorkedDigitByDigit) {
  EXPECT_EQ(answer_sum({47, 38}, SumStyle::steps, Language::english),
            "Ones: 7+8=15, write 5, carry 1. Tens: 4+3+1=8. Answer: 85");
  EXPECT_EQ(answer_sum({91, 30}, SumStyle::steps, Language::english),
            "Ones: 1+0=1, write 1, carry 0. Tens: 9+3+0=12. Answer: 121");
  EXPECT_EQ(answer_sum({47, 38}, SumStyle::steps, Language::korean),
            "일의 자리: 7+8=15, 5를 쓰고 1을 올려요. 십의 자리: 4+3+1=8. 답: 85");
  EXPECT_EQ(answer_sum({47, 38}, SumStyle::plain, Language::korean), "85");
}

TEST(Sums, EveryAnswerPassesItsCheckAndNoOther) {
  for (const Sum& sum : split_sums(0, 1).train) {
    const Sum other = {sum.a, sum.b == 99 ? 98 : sum.b + 1};
    for (const Language language : kLanguages) {
      const std::string plain = answer_sum(sum, SumStyle::plain, language);
      const std::string steps = answer_sum(sum, SumStyle::steps, language);
      ASSERT_TRUE(sum_is_right(sum, plain)) << plain;
      ASSERT_TRUE(steps_are_right(sum, steps)) << steps;
      ASSERT_FALSE(sum_is_right(other, plain)) << plain;
      ASSERT_FALSE(steps_are_right(other, steps)) << steps;
      ASSERT_FALSE(sum_is_right(sum, steps)) << steps;
      ASSERT_FALSE(steps_are_right(sum, plain)) << plain;
    }
  }
}

TEST(SumCheck, AcceptsTheTotalInASentence) {
  const Sum sum = {47, 38};
  EXPECT_TRUE(sum_is_right(sum, "The answer is 85."));
  EXPECT_TRUE(sum_is_right(sum, "47 + 38 = 85"));
  EXPECT_TRUE(sum_is_right(sum, "47+38=85"));
}

TEST(SumCheck, RefusesWrongOrMuddledReplies) {
  const Sum sum = {47, 38};
  EXPECT_FALSE(sum_is_right(sum, ""));
  EXPECT_FALSE(sum_is_right(sum, "eighty-five"));
  EXPECT_FALSE(sum_is_right(sum, "84"));
  EXPECT_FALSE(sum_is_right(sum, "85 or 86"));
  EXPECT_FALSE(sum_is_right(sum, "84 85"));
  EXPECT_FALSE(sum_is_right(sum, "47 + 39 = 85"));
  EXPECT_FALSE(sum_is_right(sum, "47 + 38 ="));
  EXPECT_FALSE(sum_is_right(sum, "99999999999999999999999"));
}

TEST(StepsCheck, RefusesFalseEquationsAndMissingSteps) {
  const Sum sum = {47, 38};
  EXPECT_FALSE(
      steps_are_right(sum, "Ones: 7 + 8 = 14, write 5, carry 1. Tens: 4 + 3 + 1 = 8. Answer: 85"));
  EXPECT_FALSE(
      steps_are_right(sum, "Ones: 7 + 8 = 15, write 5, carry 1. Tens: 4 + 3 + 1 = 8. Answer: 75"));
  EXPECT_FALSE(steps_are_right(sum, "Ones: 7 + 8 = 15. Answer: 85"));
  EXPECT_FALSE(steps_are_right(sum, "7 + 8 = 15. 4 + 3 + = 8. Answer: 85"));
  EXPECT_FALSE(steps_are_right(sum, ""));
}

TEST(Sums, AreAskedForWithTheirNumbersInTheirStyle) {
  Rng rng(3);
  for (int i = 0; i < 50; ++i) {
    for (const Language language : kLanguages) {
      for (const SumStyle style : {SumStyle::plain, SumStyle::steps}) {
        const std::string question = ask_sum({47, 38}, style, language, rng);
        EXPECT_NE(question.find("47"), std::string::npos) << question;
        EXPECT_NE(question.find("38"), std::string::npos) << question;
        const bool wants_steps =
            question.find("step") != std::string::npos || question.find("풀") != std::string::npos;
        EXPECT_EQ(wants_steps, style == SumStyle::steps) << question;
      }
    }
  }
}

}  // namespace
}  // namespace malssi::world
