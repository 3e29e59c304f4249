#include "eval/exact.h"

#include <gtest/gtest.h>

namespace malssi {
namespace {

TEST(Exact, IgnoresSurroundingWhiteSpaceOnly) {
  EXPECT_TRUE(is_exact(" Mina.\n", "Mina."));
  EXPECT_TRUE(is_exact("미나", "미나 "));
  EXPECT_FALSE(is_exact("mina.", "Mina."));
  EXPECT_FALSE(is_exact("Mina. She", "Mina."));
  EXPECT_FALSE(is_exact("", "Mina."));
  EXPECT_TRUE(is_exact("", " "));
}

TEST(FinalAnswer, IsWhatFollowsTheLastMarker) {
  EXPECT_EQ(final_answer("7 + 5 = 12. The answer is 12.", "answer is"), "12");
  EXPECT_EQ(final_answer("answer: 1, no: answer: 2 \n", "answer:"), "2");
  EXPECT_EQ(final_answer(" 42 ", "answer:"), "42");
  EXPECT_EQ(final_answer("", "answer:"), "");
}

TEST(LastNumber, IsTheLastIntegerAsWritten) {
  EXPECT_EQ(last_number("12 + 30 = 42."), "42");
  EXPECT_EQ(last_number("7 apples"), "7");
  EXPECT_EQ(last_number("3 - 8 = -5"), "-5");
  EXPECT_EQ(last_number("it is 9-7"), "7");
  EXPECT_EQ(last_number("-5"), "-5");
  EXPECT_EQ(last_number("none"), "");
}

}  // namespace
}  // namespace malssi
