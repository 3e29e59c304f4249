#include "base/base64.h"

#include <gtest/gtest.h>

#include "base/random.h"

namespace malssi {
namespace {

TEST(Base64, IsThatOfTheStandardsExamples) {
  EXPECT_EQ(to_base64(""), "");
  EXPECT_EQ(to_base64("f"), "Zg==");
  EXPECT_EQ(to_base64("fo"), "Zm8=");
  EXPECT_EQ(to_base64("foobar"), "Zm9vYmFy");
}

TEST(Base64, AnyBytesComeBack) {
  Rng rng(1);
  for (int64_t size = 0; size < 100; ++size) {
    std::string bytes;
    for (int64_t i = 0; i < size; ++i) bytes.push_back(static_cast<char>(rng.below(256)));
    EXPECT_EQ(from_base64(to_base64(bytes)), bytes);
  }
}

TEST(Base64, OtherTextIsRefused) {
  for (const char* text : {"A", "AB", "ABC", "A===", "AB=C", "AB C", "AB!D", "====", "\xFF\xFF=="})
    EXPECT_FALSE(from_base64(text)) << text;
}

}  // namespace
}  // namespace malssi
