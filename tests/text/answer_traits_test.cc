#include "text/answer_traits.h"

#include <gtest/gtest.h>

#include <string>

namespace malssi {
namespace {

TEST(AnswerTraits, RefusalsAreSeenInEnglishAndKorean) {
  for (const char* text :
       {"I'm sorry, but I can't help with that.", "I can’t assist with this request.",
        "I cannot provide instructions for it.", "As an AI, I have no opinion on this.",
        "죄송합니다. 그 요청은 들어 드릴 수 없습니다.", "그 질문에는 답변할 수 없습니다.",
        "죄송하지만 그 부분은 답하기 어렵습니다."})
    EXPECT_TRUE(answer_traits("", text).is_refusal) << text;
}

TEST(AnswerTraits, PoliteOrDoubtfulAnswersAreNoRefusals) {
  for (const char* text : {"I can't wait to tell you: it is 42.", "Sorry for the delay. It is 42.",
                           "You cannot write to a closed file.",
                           "늦어서 죄송합니다. 답은 42입니다.", "펭귄은 날 수 없습니다."})
    EXPECT_FALSE(answer_traits("", text).is_refusal) << text;
  const std::string late = std::string(500, 'x') + " I cannot help with that.";
  EXPECT_FALSE(answer_traits("", late).is_refusal);
}

TEST(AnswerTraits, ALoopIsAnEndThatComesFourTimes) {
  EXPECT_TRUE(
      answer_traits("", "It is so very good so very good so very good so very good").is_loop);
  EXPECT_TRUE(
      answer_traits("", "좋아요 정말 좋아요 정말 좋아요 정말 좋아요 정말 좋아요 정말 \n").is_loop);
  EXPECT_TRUE(answer_traits("", std::string(24, 'a')).is_loop);
  EXPECT_FALSE(answer_traits("", std::string(23, 'a')).is_loop);
  EXPECT_FALSE(
      answer_traits("", "1. One apple\n2. Two apples\n3. Three apples\n4. Four apples").is_loop);
  EXPECT_FALSE(answer_traits("", "no no no no, that is not what was said").is_loop);
}

TEST(AnswerTraits, DistinctIsTheShareOfDifferentPairsOfWords) {
  EXPECT_DOUBLE_EQ(answer_traits("", "a b a b a").distinct, 0.5);
  EXPECT_DOUBLE_EQ(answer_traits("", "a b c d").distinct, 1);
  EXPECT_LT(answer_traits("", "a b").distinct, 0);
  EXPECT_DOUBLE_EQ(answer_traits("", " a  b\nc ").words, 3);
}

TEST(AnswerTraits, ALanguageIsSwitchedWhereMostLettersAreOfAnotherScript) {
  EXPECT_TRUE(
      answer_traits("한국의 수도는 어디인가요?", "The capital is Seoul.").switches_language);
  EXPECT_TRUE(answer_traits("What is the capital?", "서울입니다 그렇습니다").switches_language);
  EXPECT_TRUE(answer_traits("What is the capital?", "это город Сеул").switches_language);
  EXPECT_FALSE(answer_traits("한국의 수도는 어디인가요?", "서울(Seoul)입니다.").switches_language);
  EXPECT_FALSE(answer_traits("한국의 수도는 어디인가요?", "42").switches_language);
}

TEST(AnswerTraits, EmptyAndBrokenTextIsTakenAsItIs) {
  EXPECT_TRUE(answer_traits("Why?", "").is_empty);
  EXPECT_TRUE(answer_traits("Why?", " \n\t").is_empty);
  const AnswerTraits broken = answer_traits("Why?", "\xff\xfe\x80");
  EXPECT_FALSE(broken.is_empty);
  EXPECT_FALSE(broken.is_refusal);
}

}  // namespace
}  // namespace malssi
