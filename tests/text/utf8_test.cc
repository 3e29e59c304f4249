#include "text/utf8.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "text/text_tools.h"

namespace malssi {
namespace {

constexpr std::string_view kBad = "\xEF\xBF\xBD";

std::string repeated(std::string_view text, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) out += text;
  return out;
}

TEST(Utf8, EveryScalarValueReadsBackAsItWasWritten) {
  for (int32_t value = 0; value < 0x110000; ++value) {
    if (value == 0xD800) value = 0xE000;
    const std::string text = to_utf8(value);
    const CodePoint back = decode_utf8(text, 0);
    ASSERT_EQ(back.value, value);
    ASSERT_EQ(back.length, static_cast<int32_t>(text.size()));
    ASSERT_TRUE(is_valid_utf8(text));
  }
}

TEST(Utf8, OverlongFormsSurrogatesAndTooLargeValuesAreInvalid) {
  for (const char* text :
       {"\xC0\x80", "\xC1\xBF", "\xE0\x80\x80", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xED\xBF\xBF",
        "\xF0\x80\x80\x80", "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF",
        "\x80", "a\xE2\x82", "\xE2\x28\xA1"}) {
    EXPECT_FALSE(is_valid_utf8(text)) << text;
  }
}

// The examples of the Unicode standard, tables 3-8 to 3-11.
TEST(Utf8, BrokenSequencesAreRepairedAsTheStandardShows) {
  EXPECT_EQ(repair_utf8("\xC0\xAF\xE0\x80\xBF\xF0\x81\x82\x41"), repeated(kBad, 8) + "A");
  EXPECT_EQ(repair_utf8("\xED\xA0\x80\xED\xBF\xBF\xED\xAF\x41"), repeated(kBad, 8) + "A");
  EXPECT_EQ(repair_utf8("\xF4\x91\x92\x93\xFF\x41\x80\xBF\x42"),
            repeated(kBad, 5) + "A" + repeated(kBad, 2) + "B");
  EXPECT_EQ(repair_utf8("\xE1\x80\xE2\xF0\x91\x92\xF1\xBF\x41"), repeated(kBad, 4) + "A");
}

TEST(Utf8, ValidTextIsLeftAlone) {
  const std::string text = training_text();
  EXPECT_EQ(repair_utf8(text), text);
  EXPECT_EQ(valid_utf8_prefix(text), static_cast<int64_t>(text.size()));
  EXPECT_EQ(valid_utf8_prefix(text + "\xFF!"), static_cast<int64_t>(text.size()));
}

TEST(Utf8Stream, NeverSplitsACharacterHoweverTheBytesArrive) {
  Rng rng(1);
  for (int round = 0; round < 200; ++round) {
    const std::string text = random_text(rng, 40);
    Utf8Stream stream;
    std::string shown;
    for (size_t at = 0; at < text.size();) {
      const auto size = static_cast<size_t>(1 + rng.below(5));
      const std::string part = stream.push(std::string_view(text).substr(at, size));
      EXPECT_TRUE(is_valid_utf8(part));
      shown += part;
      at += size;
    }
    EXPECT_TRUE(stream.empty());
    EXPECT_EQ(shown + stream.finish(), text);
  }
}

TEST(Utf8Stream, ShowsAnyBytesAsTheWholeWouldBeRepaired) {
  Rng rng(2);
  for (int round = 0; round < 500; ++round) {
    const std::string bytes = random_bytes(rng, 30);
    Utf8Stream stream;
    std::string shown;
    for (const char byte : bytes) shown += stream.push({&byte, 1});
    EXPECT_EQ(shown + stream.finish(), repair_utf8(bytes));
  }
}

TEST(Utf8Stream, AnUnfinishedCharacterIsHeldBackAndShownBrokenOnlyAtTheEnd) {
  Utf8Stream stream;
  EXPECT_EQ(stream.push("a\xEB\xA7"), "a");
  EXPECT_FALSE(stream.empty());
  EXPECT_EQ(stream.push("\x90"), "말");
  EXPECT_EQ(stream.push("\xEB"), "");
  EXPECT_EQ(stream.finish(), kBad);
  EXPECT_TRUE(stream.empty());
}

}  // namespace
}  // namespace malssi
