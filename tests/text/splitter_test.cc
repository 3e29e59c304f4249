#include "text/splitter.h"

#include <gtest/gtest.h>
#include <utf8proc.h>

#include <array>

#include "scratch.h"
#include "text/text_tools.h"

namespace malssi {
namespace {

std::vector<std::string> pieces(const Splitter& splitter, std::string_view text, size_t room = 64) {
  std::vector<std::string> out;
  std::vector<int64_t> ends(room);
  for (int64_t at = 0; at < static_cast<int64_t>(text.size());) {
    const int64_t count = splitter.split(text, at, ends);
    if (count < 1) ADD_FAILURE() << "no piece at " << at;
    for (int64_t i = 0; i < count; ++i) {
      const int64_t end = ends[static_cast<size_t>(i)];
      out.emplace_back(text.substr(static_cast<size_t>(at), static_cast<size_t>(end - at)));
      at = end;
    }
  }
  return out;
}

std::vector<std::string> pieces(std::string_view pattern, std::string_view text) {
  return pieces(*make_splitter(pattern), text);
}

using Pieces = std::vector<std::string>;

bool matches_one(const Splitter& splitter, int32_t value) {
  std::array<int64_t, 4> ends;
  const std::string text = "-" + to_utf8(value) + "-";  // a match splits it in three
  return splitter.split(text, 0, ends) > 1;
}

// Characters that both PCRE2 (10.42: Unicode 14) and our tables (Unicode 15) know; and not U+180E, which PCRE2 alone still
// takes for a space.
bool known_to_both(int32_t value) {
  static const auto unassigned = make_regex_splitter("\\p{Cn}+");
  return value != 0x180E && utf8proc_category(value) != UTF8PROC_CATEGORY_CN &&
         !matches_one(*unassigned, value);
}

TEST(Splitter, EveryCharacterHasTheClassThatPcre2GivesIt) {
  const auto letter = make_regex_splitter("\\p{L}+"), number = make_regex_splitter("\\p{N}+"),
             space = make_regex_splitter("\\s+");
  for (int32_t value = 1; value < 0x110000; ++value) {
    if (value == 0xD800) value = 0xE000;
    if (value >= 0x33480 && value % 64 != 0) continue;  // nothing but tags and private use
    if (!known_to_both(value)) continue;
    const CharClass kind = char_class(value);
    ASSERT_EQ(matches_one(*letter, value), kind == CharClass::letter) << std::hex << value;
    ASSERT_EQ(matches_one(*number, value), kind == CharClass::number) << std::hex << value;
    ASSERT_EQ(matches_one(*space, value), kind == CharClass::space) << std::hex << value;
  }
}

TEST(Splitter, Gpt2WordsAreAsPublished) {
  EXPECT_EQ(pieces("gpt2", "Hello, world! It's 2024."),
            (Pieces{"Hello", ",", " world", "!", " It", "'s", " 2024", "."}));
  EXPECT_EQ(pieces("gpt2", "  two  spaces \n end  "),
            (Pieces{" ", " two", " ", " spaces", " \n", " end", "  "}));
  EXPECT_EQ(pieces("gpt2", "말씨가 곱다"), (Pieces{"말씨가", " 곱다"}));
  EXPECT_EQ(pieces("gpt2", "'S 's 'll'"), (Pieces{"'", "S", " '", "s", " '", "ll", "'"}));
}

TEST(Splitter, Llama3WordsAreAsPublished) {
  EXPECT_EQ(pieces("llama3", "Hello, world! IT'S 12345."),
            (Pieces{"Hello", ",", " world", "!", " IT", "'S", " ", "123", "45", "."}));
  EXPECT_EQ(pieces("llama3", "a\n\n  b\tc (x)\n"),
            (Pieces{"a", "\n\n", " ", " b", "\tc", " (", "x", ")\n"}));
  EXPECT_EQ(pieces("qwen2", "in 1987"), (Pieces{"in", " ", "1", "9", "8", "7"}));
}

class PublishedPattern : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(All, PublishedPattern, testing::ValuesIn(pattern_names()),
                         [](const auto& info) { return info.param; });

TEST_P(PublishedPattern, ScannerSplitsEveryCharacterLikePcre2) {
  const auto scanner = make_splitter(GetParam()), regex = make_regex_splitter(GetParam());
  std::string text;
  for (int32_t value = 1; value < 0x110000; ++value) {
    if (value == 0xD800) value = 0xE000;
    // Every character up to the last letter outside the ideographs; beyond, one in 97.
    if ((value > 0x1FFFF || (value >= 0x3400 && value < 0xD7A4)) && value % 97 != 0) continue;
    if (!known_to_both(value)) continue;
    for (const char* context : {"a%b", " %", "1%2", "\n% ", "'%", "%%"})
      for (const char* c = context; *c; ++c)
        *c == '%' ? append_utf8(text, value) : text.push_back(*c);
    if (text.size() < 4096) continue;
    ASSERT_EQ(pieces(*scanner, text), pieces(*regex, text)) << "up to U+" << std::hex << value;
    text.clear();
  }
}

TEST_P(PublishedPattern, ScannerSplitsRandomTextLikePcre2) {
  const auto scanner = make_splitter(GetParam()), regex = make_regex_splitter(GetParam());
  Rng rng(3);
  for (int round = 0; round < 3000; ++round) {
    std::string text;
    const std::string drawn = random_text(rng, 1 + rng.below(60));
    for (int64_t at = 0; at < static_cast<int64_t>(drawn.size());) {
      const CodePoint next = decode_utf8(drawn, at);
      if (next.value < 0x80 || known_to_both(next.value)) append_utf8(text, next.value);
      at += next.length;
    }
    ASSERT_EQ(pieces(*scanner, text), pieces(*regex, text)) << text;
    ASSERT_EQ(pieces(*scanner, text, 2), pieces(*regex, text, 3)) << text;
  }
}

TEST_P(PublishedPattern, ItsExpressionIsRecognisedByName) {
  EXPECT_NE(pattern_expression(GetParam()), GetParam());
  EXPECT_EQ(pattern_name(pattern_expression(GetParam())), GetParam());
}

TEST(RegexSplitter, MatchesAndTheGapsBetweenThemArePieces) {
  EXPECT_EQ(pieces("\\d", "ab12c"), (Pieces{"ab", "1", "2", "c"}));
  EXPECT_EQ(pieces("x*", "axxb말"), (Pieces{"a", "xx", "b말"}));
  EXPECT_EQ(pieces("(?=b)|c", "abcab"), (Pieces{"ab", "c", "ab"}));
}

TEST(RegexSplitter, AnInvalidPatternIsOneClearError) {
  const std::string message = error_of([] { make_splitter("(unclosed"); });
  EXPECT_TRUE(is_one_line(message));
  EXPECT_TRUE(contains(message, "(unclosed") && contains(message, "parenthesis")) << message;
  EXPECT_TRUE(is_one_line(error_of([] { make_splitter("\xFF"); })));
}

TEST(RegexSplitter, AHostilePatternStopsAtItsLimitInsteadOfHanging) {
  const auto splitter = make_splitter("(a+)+$");
  const std::string message = error_of([&] { pieces(*splitter, std::string(60, 'a') + "b"); });
  EXPECT_TRUE(is_one_line(message));
  EXPECT_TRUE(contains(message, "backtracks less")) << message;
}

TEST(RegexSplitter, DeepRecursionEndsInAnErrorOrAResult) {
  const auto splitter = make_splitter("(?:a|b(?:a|b))+c|.");
  const std::string text(200000, 'a');
  const std::string message = error_of([&] { pieces(*splitter, text, 256); });
  EXPECT_TRUE(message.empty() || is_one_line(message));
}

}  // namespace
}  // namespace malssi
