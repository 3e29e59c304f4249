// UTF-8: checking, walking, repairing, and streaming it without ever splitting a character.
// "Invalid" follows the Unicode standard: overlong forms, surrogates and values above U+10FFFF are
// invalid; a broken sequence counts as one unit per maximal well-formed start (Unicode 15,
// section 3.9, "best practice").
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace malssi {

// One step of a walk: `value` is -1 where the bytes are invalid; `length` bytes (at least 1) belong
// to this step.
struct CodePoint {
  int32_t value = -1;
  int32_t length = 1;
};

// The character that starts at text[at]; at < text.size().
CodePoint decode_utf8(std::string_view text, int64_t at);
// Appends the character, which must be a valid scalar value.
void append_utf8(std::string& out, int32_t value);
std::string to_utf8(int32_t value);

// Length of the longest prefix that is valid UTF-8.
int64_t valid_utf8_prefix(std::string_view text);
bool is_valid_utf8(std::string_view text);
// The text with every invalid unit replaced by U+FFFD.
std::string repair_utf8(std::string_view text);
// Length of the longest prefix that does not end inside a character that more bytes could complete.
int64_t complete_utf8_prefix(std::string_view text);

// Turns a stream of byte strings (a model's tokens may end inside a character) into whole
// characters.
class Utf8Stream {
 public:
  // What can be shown now: whole characters, invalid bytes as U+FFFD. An unfinished character is
  // held back.
  std::string push(std::string_view bytes);
  // What was held back, as U+FFFD; the stream is then empty and can be used again.
  std::string finish();
  bool empty() const { return held_.empty(); }

 private:
  std::string held_;
};

}  // namespace malssi
