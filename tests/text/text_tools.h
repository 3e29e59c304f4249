// Texts that tokenizer tests share.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/random.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace malssi {

inline fs::path fixture(std::string_view name) {
  return fs::path(MALSSI_SOURCE_DIR) / "tests/text/fixtures" / name;
}
// Data that is not part of the repository: tests that want it skip where it is absent.
inline fs::path shared_data(std::string_view name) {
  return fs::path(MALSSI_SOURCE_DIR) / "../shared/data" / name;
}

inline std::string random_bytes(Rng& rng, int64_t size) {
  std::string bytes;
  for (int64_t i = 0; i < size; ++i) bytes.push_back(static_cast<char>(rng.below(256)));
  return bytes;
}

inline int32_t random_scalar(Rng& rng) {
  const auto value = static_cast<int32_t>(rng.below(0x110000 - 0x800));
  return value < 0xD800 ? value : value + 0x800;
}

// Characters of all kinds and planes, with much white space and many apostrophes.
inline std::string random_text(Rng& rng, int64_t characters) {
  static const std::vector<std::string> kSpecial = {
      " ",  "  ", "\n",      "\r\n",   "\t",     "\u00a0",  "\u3000", "\u2028", "\u0085",
      "'s", "'S", "'ll",     "'RE",    "'Ve",    "'\u017f", "'",      "''",     "'l",
      "'r", "12", "1234567", "\uff14", "\u00bd", "...",     "!?",     " '",     "don't"};
  std::string text;
  for (int64_t i = 0; i < characters; ++i) switch (rng.below(7)) {
      case 0:
      case 1:
        text += rng.pick(kSpecial);
        break;
      case 2:
        append_utf8(text, static_cast<int32_t>(0xAC00 + rng.below(11172)));
        break;
      case 3:
        append_utf8(text, random_scalar(rng));
        break;
      case 4:
        append_utf8(text, static_cast<int32_t>(rng.below(0x800)));
        break;
      default:
        append_utf8(text, static_cast<int32_t>(0x20 + rng.below(0x5F)));
    }
  return text;
}

// A text every test can train on: English, Korean and code.
inline std::string training_text() { return read_file(fixture("training_text.txt")); }

}  // namespace malssi
