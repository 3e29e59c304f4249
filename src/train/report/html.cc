#include "train/report/html.h"

#include <cstdint>

#include "base/format.h"

namespace malssi {
namespace {

bool is_hangul(char32_t c) {
  return (c >= 0x1100 && c <= 0x11ff) || (c >= 0x3131 && c <= 0x318e) ||
         (c >= 0xac00 && c <= 0xd7a3);
}

bool turns_direction(char32_t c) {
  return c == 0x200e || c == 0x200f || c == 0x061c || (c >= 0x202a && c <= 0x202e) ||
         (c >= 0x2066 && c <= 0x2069);
}

bool is_control(char32_t c) {
  return (c < 0x20 && c != '\t' && c != '\n') || (c >= 0x7f && c < 0xa0);
}

}  // namespace

std::string escape_html(std::string_view text) {
  std::string out;
  out.reserve(text.size() + text.size() / 8);
  for (size_t at = 0; at < text.size();) {
    const size_t begin = at;
    const char32_t c = next_character(text, at);
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      case '\r':
        break;
      default:
        if (turns_direction(c)) break;
        out += c == 0xfffd || is_control(c) ? "\uFFFD" : text.substr(begin, at - begin);
    }
  }
  return out;
}

std::string json_for_script(std::string json) {
  for (size_t at = json.find('<'); at != json.npos; at = json.find('<', at))
    json.replace(at, 1, "\\u003c");
  return json;
}

std::string_view language_of(std::string_view text) {
  int64_t hangul = 0, latin = 0;
  for (size_t at = 0; at < text.size();) {
    const char32_t c = next_character(text, at);
    if (is_hangul(c)) ++hangul;
    if ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ++latin;
  }
  return hangul * 3 > latin ? "ko" : "en";  // a Hangul syllable says about as much as three letters
}

}  // namespace malssi
