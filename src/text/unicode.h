// The three character classes that split patterns are made of: \p{L}, \p{N} and \s (Unicode 15,
// from utf8proc).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace malssi {

enum class CharClass : uint8_t { other, letter, number, space };

namespace unicode_detail {

// Nothing at or above this value is a letter, a number or a space.
inline constexpr int32_t kClassified = 0x40000;
const std::vector<CharClass>& char_classes();

constexpr std::array<CharClass, 128> ascii_classes() {
  std::array<CharClass, 128> table{};
  for (int c = 'a'; c <= 'z'; ++c) table[c] = table[c - 'a' + 'A'] = CharClass::letter;
  for (int c = '0'; c <= '9'; ++c) table[c] = CharClass::number;
  for (int c = 0x09; c <= 0x0D; ++c) table[c] = CharClass::space;
  table[' '] = CharClass::space;
  return table;
}

}  // namespace unicode_detail

inline constexpr std::array<CharClass, 128> kAsciiClass = unicode_detail::ascii_classes();

// The class of a valid character; \s is the White_Space property.
inline CharClass char_class(int32_t value) {
  if (value >= unicode_detail::kClassified) return CharClass::other;
  return unicode_detail::char_classes()[static_cast<size_t>(value)];
}

// Properties that normalisers and pre-tokenizers ask for, of a valid character. "Punctuation" has
// all of ASCII's symbols in it, as BERT has it.
bool is_punctuation(int32_t value);
bool is_mark(int32_t value);             // \p{M}
bool is_nonspacing_mark(int32_t value);  // \p{Mn}
bool is_control(int32_t value);          // control, format, private or unassigned; not \t, \n, \r
bool is_ideograph(int32_t value);        // the blocks that BERT sets apart
// The lower case of a character alone, which may be two characters.
void append_lower_case(std::string& out, int32_t value);

}  // namespace malssi
