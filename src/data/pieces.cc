#include "data/pieces.h"

#include <algorithm>

namespace malssi {
namespace {

uint8_t byte_at(std::string_view text, int64_t at) {
  return static_cast<uint8_t>(text[static_cast<size_t>(at)]);
}

bool is_visible_ascii(uint8_t byte) { return byte > 0x20 && byte < 0x7f; }

// The character that ends before `at` is surely no white space. (White space beyond ASCII: U+0085,
// U+00A0, U+1680, U+2000 .. U+205F, U+3000; their neighbours are left out as well.)
bool visible_before(std::string_view text, int64_t at) {
  const uint8_t last = byte_at(text, at - 1);
  if (last < 0x80) return is_visible_ascii(last);
  if (at < 3 || byte_at(text, at - 2) == 0xc2) return false;
  const uint8_t lead = byte_at(text, at - 3);
  const uint8_t middle = byte_at(text, at - 2);
  return !(lead == 0xe1 && middle == 0x9a) && !(lead == 0xe2 && middle <= 0x81) &&
         !(lead == 0xe3 && middle == 0x80);
}

bool visible_at(std::string_view text, int64_t at) {
  const uint8_t first = byte_at(text, at);
  if (first < 0x80) return is_visible_ascii(first);
  return first >= 0xe4 || first == 0xe0 || (first > 0xc2 && first < 0xe0);
}

// A new word begins at `at`.
bool is_boundary(std::string_view text, int64_t at) {
  if (byte_at(text, at - 1) == '\n') return visible_before(text, at - 1) && visible_at(text, at);
  return byte_at(text, at) == ' ' && visible_before(text, at) && visible_at(text, at + 1);
}

}  // namespace

int64_t piece_length(std::string_view text, int64_t limit) {
  const int64_t size = static_cast<int64_t>(text.size());
  if (size <= limit) return size;
  const int64_t last = std::min(limit, size - 2);
  for (int64_t at = last; at > limit / 2 && at > 1; --at)
    if (is_boundary(text, at)) return at;
  int64_t at = limit;
  for (int step = 0; step < 3 && at > 1 && (byte_at(text, at) & 0xc0) == 0x80; ++step) --at;
  return at;
}

}  // namespace malssi
