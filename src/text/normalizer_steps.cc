#include "text/normalizer_steps.h"

#include "text/unicode.h"
#include "text/utf8.h"

namespace malssi {
namespace {

// Hands every character to `put`, and copies bytes that are none.
template <class Put>
std::string map_characters(std::string_view text, Put&& put) {
  std::string out;
  out.reserve(text.size());
  for (int64_t at = 0; at < static_cast<int64_t>(text.size());) {
    const CodePoint next = decode_utf8(text, at);
    if (next.value < 0)
      out += text.substr(static_cast<size_t>(at), static_cast<size_t>(next.length));
    else
      put(out, next.value);
    at += next.length;
  }
  return out;
}

}  // namespace

std::string LowerCase::apply(std::string_view text) const {
  return map_characters(text, append_lower_case);
}

std::string StripAccents::apply(std::string_view text) const {
  return map_characters(text, [](std::string& out, int32_t value) {
    if (!is_mark(value)) append_utf8(out, value);
  });
}

std::string BertNormalizer::apply(std::string_view text) const {
  std::string out = map_characters(text, [this](std::string& to, int32_t value) {
    if (options_.clean && (value == 0 || value == 0xFFFD || is_control(value))) return;
    if (options_.clean && char_class(value) == CharClass::space) value = ' ';
    const bool apart = options_.separate_ideographs && is_ideograph(value);
    if (apart) to += ' ';
    append_utf8(to, value);
    if (apart) to += ' ';
  });
  if (options_.strip_accents)
    out = map_characters(normalize(out, Normalization::nfd), [](std::string& to, int32_t value) {
      if (!is_nonspacing_mark(value)) append_utf8(to, value);
    });
  return options_.lower_case ? map_characters(out, append_lower_case) : out;
}

void check_growth(size_t before, size_t after) {
  REQUIRE(after <= 16 * before + 256, "normalizer: it makes ", after, " bytes and more of ", before,
          "; texts may become 16 times as long");
}

std::string ReplaceText::apply(std::string_view text) const {
  std::string out;
  out.reserve(text.size());
  for (size_t at = 0;;) {
    const size_t found = text.find(what_, at);
    out += text.substr(at, found - at);
    check_growth(text.size(), out.size());
    if (found == text.npos) return out;
    out += with_;
    at = found + what_.size();
  }
}

std::string ReplaceMatches::apply(std::string_view text) const {
  const size_t size = text.size();
  std::string out;
  while (!text.empty()) {
    const std::string_view valid = text.substr(0, static_cast<size_t>(valid_utf8_prefix(text)));
    int64_t done = 0;
    regex_.each_match(valid, 0, [&](int64_t begin, int64_t end) {
      out += valid.substr(static_cast<size_t>(done), static_cast<size_t>(begin - done));
      out += with_;
      check_growth(size, out.size());
      done = end;
      return true;
    });
    out += valid.substr(static_cast<size_t>(done));
    text.remove_prefix(valid.size());
    if (text.empty()) break;
    const auto broken = static_cast<size_t>(decode_utf8(text, 0).length);
    out += text.substr(0, broken);
    text.remove_prefix(broken);
  }
  return out;
}

std::string StripSpace::apply(std::string_view text) const {
  int64_t first = -1, last = -1;  // around what is no white space
  for (int64_t at = 0; at < static_cast<int64_t>(text.size());) {
    const CodePoint next = decode_utf8(text, at);
    if (next.value < 0 || char_class(next.value) != CharClass::space) {
      if (first < 0) first = at;
      last = at + next.length;
    }
    at += next.length;
  }
  if (first < 0) return std::string();
  const int64_t begin = options_.left ? first : 0;
  const int64_t end = options_.right ? last : static_cast<int64_t>(text.size());
  return std::string(text.substr(static_cast<size_t>(begin), static_cast<size_t>(end - begin)));
}

}  // namespace malssi
