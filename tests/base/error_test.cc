#include "base/error.h"

#include <gtest/gtest.h>

#include "scratch.h"

namespace malssi {
namespace {

TEST(Error, IsOneLineWhateverNamesItHolds) {
  const auto said = [](std::string_view name) {
    return std::string(Error(concat("<", name, ">")).what());
  };
  EXPECT_EQ(said("말씨 ünï"), "<말씨 ünï>");
  EXPECT_EQ(said("a\nb\tc\r"), "<a\\nb\\tc\\r>");
  EXPECT_EQ(said(std::string_view("\0\x1b[2J\x7f", 6)), "<\\x00\\x1b[2J\\x7f>");
  EXPECT_EQ(said("\xff\xc0\xaf\xed\xa0\x80"), "<\\xff\\xc0\\xaf\\xed\\xa0\\x80>");  // no UTF-8
  EXPECT_EQ(said("\xec\xa0"), "<\\xec\\xa0>");  // half a character
  EXPECT_EQ(said("\xc2\x9b"
                 "31m"),
            "<\\xc2\\x9b"
            "31m>");                                     // a control beyond ASCII
  EXPECT_EQ(said("\xe2\x80\xae"), "<\\xe2\\x80\\xae>");  // turns what follows around
  EXPECT_EQ(said("\\n"), "<\\n>");
  // Told again with its place, it stays as it is.
  EXPECT_EQ(said(said("\n")), "<<\\n>>");
}

TEST(Error, KeepsTheBeginningAndTheRemedyOfALongMessage) {
  std::string korean;
  for (int i = 0; i < 20000; ++i) korean += "말";
  for (const std::string& name : {std::string(65536, 'n'), std::string(65536, '\n'), korean}) {
    const std::string message =
        error_of([&] { REQUIRE(false, "file: tensor \"", name, "\" is long: rename it"); });
    EXPECT_LT(message.size(), 2000u);
    EXPECT_TRUE(message.starts_with("file: tensor \"")) << message;
    EXPECT_TRUE(message.ends_with("\" is long: rename it")) << message;
    EXPECT_TRUE(contains(message, " bytes] ... "));
    EXPECT_EQ(message_line(message), message);
  }
}

TEST(Error, OfThisProgramsOwnIsALineToo) {
  try {
    CHECK(false, "a\nb");
    FAIL();
  } catch (const InternalError& error) {
    EXPECT_TRUE(std::string_view(error.what()).ends_with(": a\\nb")) << error.what();
  }
}

}  // namespace
}  // namespace malssi
