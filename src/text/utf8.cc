#include "text/utf8.h"

#include <algorithm>
#include <cstring>

namespace malssi {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

// What may follow a first byte: how many bytes, and the range of the second one (Unicode 15, table
// 3-7).
struct Form {
  int32_t length;
  uint8_t low, high;
};

Form form_of(uint8_t first) {
  if (first < 0x80) return {1, 0, 0};
  if (first < 0xC2) return {0, 0, 0};
  if (first < 0xE0) return {2, 0x80, 0xBF};
  if (first == 0xE0) return {3, 0xA0, 0xBF};
  if (first == 0xED) return {3, 0x80, 0x9F};
  if (first < 0xF0) return {3, 0x80, 0xBF};
  if (first == 0xF0) return {4, 0x90, 0xBF};
  if (first < 0xF4) return {4, 0x80, 0xBF};
  if (first == 0xF4) return {4, 0x80, 0x8F};
  return {0, 0, 0};
}

// Bytes of the well-formed start of a character at text[at], and whether more bytes could complete
// it.
struct Scan {
  int32_t length = 1;
  bool whole = false, open = false;
};

Scan scan(std::string_view text, int64_t at) {
  const Form form = form_of(static_cast<uint8_t>(text[static_cast<size_t>(at)]));
  if (form.length <= 1) return {.length = 1, .whole = form.length == 1};
  const int64_t left = static_cast<int64_t>(text.size()) - at;
  for (int32_t i = 1; i < form.length; ++i) {
    if (i >= left) return {.length = i, .open = true};
    const auto byte = static_cast<uint8_t>(text[static_cast<size_t>(at + i)]);
    const bool fits = i == 1 ? byte >= form.low && byte <= form.high : (byte & 0xC0) == 0x80;
    if (!fits) return {.length = i};
  }
  return {.length = form.length, .whole = true};
}

}  // namespace

CodePoint decode_utf8(std::string_view text, int64_t at) {
  const Scan found = scan(text, at);
  if (!found.whole) return {-1, found.length};
  const auto byte = [&](int64_t i) {
    return static_cast<uint8_t>(text[static_cast<size_t>(at + i)]);
  };
  if (found.length == 1) return {byte(0), 1};
  int32_t value = byte(0) & (0x7F >> found.length);
  for (int32_t i = 1; i < found.length; ++i) value = (value << 6) | (byte(i) & 0x3F);
  return {value, found.length};
}

void append_utf8(std::string& out, int32_t value) {
  const auto put = [&](int32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (value < 0x80) return put(value);
  if (value < 0x800) {
    put(0xC0 | (value >> 6));
  } else if (value < 0x10000) {
    put(0xE0 | (value >> 12));
    put(0x80 | ((value >> 6) & 0x3F));
  } else {
    put(0xF0 | (value >> 18));
    put(0x80 | ((value >> 12) & 0x3F));
    put(0x80 | ((value >> 6) & 0x3F));
  }
  put(0x80 | (value & 0x3F));
}

std::string to_utf8(int32_t value) {
  std::string out;
  append_utf8(out, value);
  return out;
}

int64_t valid_utf8_prefix(std::string_view text) {
  const auto size = static_cast<int64_t>(text.size());
  int64_t at = 0;
  while (at < size) {
    uint64_t eight = 0;
    if (at + 8 <= size) {
      std::memcpy(&eight, text.data() + at, 8);
      if ((eight & 0x8080808080808080u) == 0) {
        at += 8;
        continue;
      }
    }
    const Scan found = scan(text, at);
    if (!found.whole) return at;
    at += found.length;
  }
  return size;
}

bool is_valid_utf8(std::string_view text) {
  return valid_utf8_prefix(text) == static_cast<int64_t>(text.size());
}

std::string repair_utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const int64_t valid = valid_utf8_prefix(text);
    out += text.substr(0, static_cast<size_t>(valid));
    text.remove_prefix(static_cast<size_t>(valid));
    if (text.empty()) break;
    out += kReplacement;
    text.remove_prefix(static_cast<size_t>(scan(text, 0).length));
  }
  return out;
}

int64_t complete_utf8_prefix(std::string_view text) {
  const auto size = static_cast<int64_t>(text.size());
  for (int64_t at = size - 1; at >= std::max<int64_t>(0, size - 3); --at)
    if (scan(text, at).open && at + scan(text, at).length == size) return at;
  return size;
}

std::string Utf8Stream::push(std::string_view bytes) {
  held_ += bytes;
  const auto complete = static_cast<size_t>(complete_utf8_prefix(held_));
  std::string out = repair_utf8(std::string_view(held_).substr(0, complete));
  held_.erase(0, complete);
  return out;
}

std::string Utf8Stream::finish() {
  std::string out = repair_utf8(held_);
  held_.clear();
  return out;
}

}  // namespace malssi
