#include "infer/ngrams.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace malssi {
namespace {

using Buckets = std::vector<int64_t>;

Buckets words(std::string_view text, int64_t longest = 2) {
  return ngrams_of(text, {NgramKind::words, longest, int64_t{1} << 40});
}
Buckets characters(std::string_view text, int64_t longest) {
  return ngrams_of(text, {NgramKind::characters, longest, int64_t{1} << 40});
}

TEST(Ngrams, WordsAndTheirRunsAreCountedOnce) {
  EXPECT_EQ(words("a b a").size(), 4u);  // a, b, "a b", "b a"
  EXPECT_EQ(words("a b a", 3).size(), 5u);
  EXPECT_EQ(words("a b a", 1).size(), 2u);
  EXPECT_EQ(words("Great FILM!\n"), words("great  film !"));
  EXPECT_NE(words("great film"), words("greatfilm"));
  EXPECT_NE(words("film great"), words("great film"));
  EXPECT_EQ(words("don't 1st", 1).size(), 4u);  // don ' t 1st
  EXPECT_EQ(words("아주 좋은 영화", 1).size(), 3u);
  EXPECT_TRUE(words(" \t\n").empty());
}

TEST(Ngrams, CharactersHaveTheTextsEndsAndNoWordsAlone) {
  EXPECT_EQ(characters("ab", 2).size(), 3u);  // " a", "ab", "b "
  EXPECT_EQ(characters("ab", 3).size(), 5u);
  EXPECT_EQ(characters("A  b\n", 4), characters("a b", 4));
  EXPECT_EQ(characters("좋다", 2).size(), 3u);
  EXPECT_TRUE(characters("", 4).empty());
}

TEST(Ngrams, ARunHasTheSameBucketWhereverItStands) {
  const Buckets whole = words("so very good it is"), part = words("very good");
  EXPECT_TRUE(std::includes(whole.begin(), whole.end(), part.begin(), part.end()));
}

TEST(Ngrams, BucketsAreThoseOfTheTableAndAscend) {
  const Buckets few = ngrams_of("one two three four five six", {NgramKind::words, 2, 7});
  EXPECT_TRUE(std::is_sorted(few.begin(), few.end()));
  EXPECT_LE(few.size(), 7u);
  EXPECT_GE(few.front(), 0);
  EXPECT_LT(few.back(), 7);
  EXPECT_TRUE(ngrams_of("one two", {}).empty());
}

TEST(Ngrams, BytesThatAreNoTextAreRead) {
  EXPECT_EQ(words("a \xff b", 1).size(), 3u);
  EXPECT_EQ(words("a \xff b"), words("a \xfe b"));
}

}  // namespace
}  // namespace malssi
