#include "eval/windows.h"

#include <algorithm>

#include "base/error.h"
#include "text/utf8.h"

namespace malssi {

namespace {

bool is_white_space(int32_t c) {
  return (c >= 0x09 && c <= 0x0D) || c == 0x20 || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F ||
         c == 0x3000;
}

}  // namespace

std::vector<Window> plan_windows(int64_t tokens, int64_t length, int64_t stride) {
  REQUIRE(length >= 2, "the window is ", length, " tokens: it must be at least 2");
  REQUIRE(stride >= 1 && stride <= length, "the stride is ", stride,
          ": it must be between 1 and the window's ", length,
          " tokens, so that no token is left out");
  std::vector<Window> windows;
  int64_t scored_to = 0;
  for (int64_t begin = 0; scored_to < tokens; begin += stride) {
    const int64_t end = std::min(begin + length, tokens);
    const Window window{.begin = begin, .end = end, .first_scored = std::max(scored_to, begin + 1)};
    if (window.scored() > 0) windows.push_back(window);
    scored_to = end;
  }
  return windows;
}

int64_t count_words(std::string_view text) {
  int64_t words = 0;
  bool inside = false;
  for (int64_t at = 0; at < static_cast<int64_t>(text.size());) {
    const CodePoint c = decode_utf8(text, at);
    const bool space = is_white_space(c.value);
    words += !space && !inside;
    inside = !space;
    at += c.length;
  }
  return words;
}

}  // namespace malssi
