#include "base/hash.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "scratch.h"

#include <string>
#include <vector>

namespace malssi {
namespace {

// Values from an independent implementation (libxxhash 0.8.1).
TEST(Hash64, AgreesWithThePublishedAlgorithm) {
  EXPECT_EQ(hash64(""), 0xef46db3751d8e999u);
  EXPECT_EQ(hash64("a"), 0xd24ec4f1a98c6e5bu);
  EXPECT_EQ(hash64("abc"), 0x44bc2cf5ad770999u);
  EXPECT_EQ(hash64("abc", 7), 0x9e755206156676d7u);
}

TEST(Hash64, AgreesAtEveryLengthAroundAStripe) {
  std::string text;
  uint64_t all = 0;
  for (int i = 0; i < 200; ++i) {
    all = hash64(text, all);
    text.push_back(static_cast<char>(i * 37 + 11));
  }
  EXPECT_EQ(all, 0x20a6af2d35783a5au);
}

TEST(Hash64, ChangesWithEveryBit) {
  std::string text(77, 'x');
  const uint64_t original = hash64(text);
  for (size_t bit = 0; bit < 8 * text.size(); ++bit) {
    text[bit / 8] ^= static_cast<char>(1 << (bit % 8));
    EXPECT_NE(hash64(text), original) << "bit " << bit;
    text[bit / 8] ^= static_cast<char>(1 << (bit % 8));
  }
}

TEST(Hash64, OfAMappedFileIsThatOfItsBytes) {
  const ScratchFolder scratch;
  std::string text(9'000'001, 'a');
  for (size_t i = 0; i < text.size(); i += 777) text[i] = static_cast<char>(i % 251);
  write_file(scratch / "long", text);
  const MappedFile file = MappedFile::open(scratch / "long");
  EXPECT_EQ(hash64_mapped(file.bytes()), hash64(text));
  EXPECT_EQ(file.text(), text);
}

TEST(Hash64, PrintsSixteenDigits) {
  EXPECT_EQ(hash_text(0x0123456789abcdefu), "0123456789abcdef");
  EXPECT_EQ(hash_text(0xf), "000000000000000f");
}

}  // namespace
}  // namespace malssi
