#include "base/error.h"

#include <array>
#include <cstdint>
#include <string_view>

namespace malssi {
namespace {

constexpr size_t kMost = 2000, kHead = 1500, kTail = 400;  // bytes; the latter of a longer message

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

// Bytes of the character at the start of the text; 0 where it is no UTF-8, or one that a terminal obeys instead of showing it:
// controls, and marks that turn the direction of the text.
size_t shown_size(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return first >= 0x20 && first != 0x7F ? 1 : 0;
  const size_t size = first >= 0xF5   ? 0
                      : first >= 0xF0 ? 4
                      : first >= 0xE0 ? 3
                      : first >= 0xC2 ? 2
                                      : 0;
  if (size == 0 || text.size() < size) return 0;
  uint32_t value = first & (0x7Fu >> size);
  for (size_t i = 1; i < size; ++i) {
    if (!is_continuation(text[i])) return 0;
    value = value << 6 | (byte(i) & 0x3Fu);
  }
  constexpr std::array<uint32_t, 5> kSmallest = {0, 0, 0x80, 0x800, 0x10000};
  const bool is_text =
      value >= kSmallest[size] && value <= 0x10FFFF && (value < 0xD800 || value > 0xDFFF);
  const bool is_obeyed = value < 0xA0 || (value >= 0x200E && value <= 0x200F) ||
                         (value >= 0x2028 && value <= 0x202E) ||
                         (value >= 0x2066 && value <= 0x2069);
  return is_text && !is_obeyed ? size : 0;
}

std::string escaped(char c) {
  if (c == '\n') return "\\n";
  if (c == '\t') return "\\t";
  if (c == '\r') return "\\r";
  constexpr char kDigits[] = "0123456789abcdef";
  const auto byte = static_cast<unsigned char>(c);
  return {'\\', 'x', kDigits[byte >> 4], kDigits[byte & 15]};
}

}  // namespace

std::string message_line(std::string_view text) {
  std::string line;
  for (size_t at = 0; at < text.size();) {
    const size_t size = shown_size(text.substr(at));
    if (size == 0)
      line += escaped(text[at]);
    else
      line += text.substr(at, size);
    at += size == 0 ? 1 : size;
  }
  if (line.size() <= kMost) return line;
  size_t head = kHead, tail = line.size() - kTail;
  while (is_continuation(line[head])) --head;
  while (is_continuation(line[tail])) ++tail;
  return concat(line.substr(0, head), " ... [", tail - head, " bytes] ... ", line.substr(tail));
}

}  // namespace malssi
