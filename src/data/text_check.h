// Is it text? Looks through bytes before they are taken for a document.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/file.h"

namespace malssi {

struct TextCheck {
  int64_t characters = 0;
  int64_t invalid_bytes = 0;  // that belong to no UTF-8 character
};

// Throws Error naming the file when its bytes are not UTF-8 text: NUL bytes, UTF-16, a known binary
// format, or more than one byte in a hundred that is invalid (some other encoding); the message
// says how to convert it.
TextCheck check_text(std::string_view text, const fs::path& path);

// Characters of UTF-8 text: the bytes that are not continuations.
int64_t count_characters(std::string_view text);

// Byte offset of a character, 0 <= character <= count_characters(text).
int64_t character_offset(std::string_view text, int64_t character);

// Without the byte-order mark.
std::string_view without_bom(std::string_view text);

}  // namespace malssi
