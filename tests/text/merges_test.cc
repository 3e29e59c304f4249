#include "text/merges.h"

#include <gtest/gtest.h>

#include <string>

#include "scratch.h"
#include "text/text_tools.h"

namespace malssi {
namespace {

// A random set of rules over a small alphabet, and the lengths of its tokens.
struct RandomRules {
  Merges merges;
  std::vector<int32_t> lengths;

  RandomRules(Rng& rng, int64_t alphabet, int64_t count) {
    for (int64_t i = 0; i < 256; ++i) {
      lengths.push_back(1);
      merges.set_byte_id(static_cast<uint8_t>(i), static_cast<int32_t>(i));
    }
    for (int64_t i = 0; i < count; ++i) {
      const auto pick = [&] {
        const int64_t at = rng.below(alphabet + static_cast<int64_t>(lengths.size()) - 256);
        return static_cast<int32_t>(at < alphabet ? 'a' + at : 256 + at - alphabet);
      };
      const int32_t left = pick(), right = pick();
      const int32_t length =
          lengths[static_cast<size_t>(left)] + lengths[static_cast<size_t>(right)];
      if (length > 40 || !merges.add({left, right, static_cast<int32_t>(lengths.size())})) continue;
      lengths.push_back(length);
    }
    merges.finish();
  }
};

// The definition, word for word: the pair of lowest rank, the leftmost of equals, as long as there is one.
std::vector<int32_t> reference(const Merges& merges, std::string_view word) {
  std::vector<int32_t> ids;
  for (const char byte : word) ids.push_back(merges.byte_id(static_cast<uint8_t>(byte)));
  for (;;) {
    Merges::Merge best;
    size_t at = 0;
    for (size_t i = 0; i + 1 < ids.size(); ++i)
      if (const auto merge = merges.find(ids[i], ids[i + 1]); merge.rank < best.rank)
        best = merge, at = i;
    if (best.rank == Merges::kNone) return ids;
    ids[at] = best.result;
    ids.erase(ids.begin() + static_cast<std::ptrdiff_t>(at) + 1);
  }
}

std::string random_word(Rng& rng, int64_t alphabet, int64_t size) {
  std::string word;
  for (int64_t i = 0; i < size; ++i) word.push_back(static_cast<char>('a' + rng.below(alphabet)));
  return word;
}

std::vector<int32_t> encode(const RandomRules& rules, std::string_view word) {
  Merges::Scratch scratch;
  std::vector<int32_t> ids;
  rules.merges.encode(word, rules.lengths, scratch, ids);
  return ids;
}

TEST(Merges, WordsOfAnyLengthComeOutAsDefined) {
  Rng rng(4);
  for (int round = 0; round < 60; ++round) {
    const int64_t alphabet = 1 + rng.below(5);
    const RandomRules rules(rng, alphabet, 5 + rng.below(200));
    for (const int64_t size : {0, 1, 2, 7, 47, 48, 49, 300}) {
      const std::string word = random_word(rng, alphabet, size);
      ASSERT_EQ(encode(rules, word), reference(rules.merges, word)) << word;
    }
  }
}

// Longer than the window in which long words are merged piece by piece.
TEST(Merges, LongWordsComeOutAsDefined) {
  Rng rng(5);
  for (int round = 0; round < 12; ++round) {
    const int64_t alphabet = 1 + rng.below(4);
    const RandomRules rules(rng, alphabet, 5 + rng.below(300));
    const std::string word = random_word(rng, alphabet, 2000 + rng.below(5000));
    ASSERT_EQ(encode(rules, word), reference(rules.merges, word));
  }
}

TEST(Merges, AMillionEqualLettersTakeLinearTime) {
  RandomRules rules = [] {
    Rng rng(6);
    return RandomRules(rng, 1, 0);
  }();
  for (int32_t id = 'a'; rules.lengths.size() < 260;
       id = static_cast<int32_t>(rules.lengths.size()) - 1) {
    rules.merges.add({id, id, static_cast<int32_t>(rules.lengths.size())});
    rules.lengths.push_back(2 * rules.lengths[static_cast<size_t>(id)]);
  }
  rules.merges.finish();
  const std::vector<int32_t> ids = encode(rules, std::string(1000003, 'a'));
  EXPECT_EQ(ids.size(), 1000003u / 16 + 2);  // and 3 = 2 + 1
  EXPECT_EQ(ids.back(), 'a');
}

TEST(Merges, APairHasOneRule) {
  Merges merges;
  EXPECT_TRUE(merges.add({1, 2, 3}));
  EXPECT_FALSE(merges.add({1, 2, 4}));
  EXPECT_EQ(merges.find(1, 2).result, 3);
  EXPECT_EQ(merges.find(2, 1).rank, Merges::kNone);
}

TEST(Merges, AByteWithoutATokenIsAnErrorThatNamesIt) {
  Merges merges;
  merges.finish();
  Merges::Scratch scratch;
  std::vector<int32_t> ids;
  EXPECT_EQ(error_of([&] { merges.encode("\x0B", {}, scratch, ids); }),
            "tokenizer: the vocabulary has no token for byte 0x0b");
}

}  // namespace
}  // namespace malssi
