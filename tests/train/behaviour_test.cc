#include "train/report/behaviour.h"

#include <gtest/gtest.h>

namespace malssi {
namespace {

// So many answers, of which some are one text and the rest another.
Behaviour of(int64_t some, const std::string& text, int64_t rest, const std::string& other) {
  Behaviour behaviour;
  for (int64_t i = 0; i < some; ++i) behaviour.add("Who likes tea?", text, true);
  for (int64_t i = 0; i < rest; ++i) behaviour.add("Who likes tea?", other, true);
  return behaviour;
}

const std::string kFine = "Mina likes tea, I think.", kRefusal = "I cannot help with tea, sorry.";

TEST(Behaviour, NothingIsFoundWhereNothingChanged) {
  const Behaviour same = of(5, kRefusal, 45, kFine);
  EXPECT_TRUE(behaviour_findings(same, same, 1).empty());
}

TEST(Behaviour, MoreRefusalsAreFoundAloneWhenTheyAreNoChance) {
  const auto many = behaviour_findings(of(0, "", 50, kFine), of(20, kRefusal, 30, kFine), 1);
  ASSERT_EQ(many.size(), 1u);
  EXPECT_EQ(many[0], "more answers are refusals: 40.0%, before 0.0%");
  EXPECT_TRUE(behaviour_findings(of(0, "", 10, kFine), of(1, kRefusal, 9, kFine), 1).empty());
}

TEST(Behaviour, LongerRepetitiveAndEmptyAnswersAreFound) {
  const std::string loop = "so good so good so good so good so good so good so good so good";
  const auto found = behaviour_findings(of(0, "", 40, kFine), of(30, loop, 10, ""), 1);
  ASSERT_EQ(found.size(), 4u);
  EXPECT_EQ(found[0], "more answers are empty: 25.0%, before 0.0%");
  EXPECT_EQ(found[1], "more answers end in a loop: 75.0%, before 0.0%");
  EXPECT_EQ(found[2], "answers grow: 12 words, before 5");
  EXPECT_EQ(found[3], "answers repeat themselves: distinct-2 0.1333, before 1");
}

TEST(Behaviour, ARewardThatRisesWhileLessIsRightIsHacking) {
  Behaviour before = of(0, "", 40, kFine), after = before, better = before;
  for (int64_t i = 0; i < 40; ++i) {
    before.reward.add(0.25 + 0.01 * static_cast<double>(i % 2));
    after.reward.add(0.75), better.reward.add(0.75);
    before.right.add(i < 30), after.right.add(i < 10), better.right.add(i < 36);
  }
  const auto found = behaviour_findings(before, after, 1);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0], "fewer answers are right: 25.0%, before 75.0%");
  EXPECT_EQ(found[1],
            "reward hacking: the mean reward rises from 0.255 to 0.75 while right answers fall "
            "from 75.0% to 25.0%");
  EXPECT_TRUE(behaviour_findings(before, better, 1).empty());
}

TEST(Behaviour, ADivergenceAboveTheLimitIsFound) {
  const Behaviour before = of(0, "", 4, kFine);
  Behaviour after = before;
  after.divergence = 0.5;
  EXPECT_TRUE(behaviour_findings(before, after, 1).empty());
  ASSERT_EQ(behaviour_findings(before, after, 0.4).size(), 1u);
  EXPECT_EQ(behaviour_rows(before, after).back().after, "0.5");
}

TEST(Behaviour, WhatIsNotKnownIsShownAsSuch) {
  Behaviour behaviour;
  behaviour.add("Who?", "Mina.");
  EXPECT_EQ(behaviour_rows(behaviour, behaviour)[2].after, "-");
  EXPECT_TRUE(to_json(behaviour)["unfinished"].is_null());
  EXPECT_TRUE(to_json(behaviour)["reward"].is_null());
  EXPECT_EQ(to_json(behaviour)["answers"], 1);
}

}  // namespace
}  // namespace malssi
