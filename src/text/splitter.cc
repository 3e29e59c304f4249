#include "text/splitter.h"

#include <array>
#include <cstring>

#include "text/unicode.h"

namespace malssi {
namespace {

struct NamedPattern {
  std::string_view name, expression;
};

constexpr std::array kPatterns = {
    NamedPattern{"gpt2",
                 R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)"},
    NamedPattern{"llama3", R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3})"
                           R"(| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)"},
    NamedPattern{"qwen2", R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N})"
                          R"(| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)"},
};

// One character of valid UTF-8: its class and its bytes.
struct Char {
  CharClass kind;
  int32_t length;
};

inline Char char_at(const char* at) {
  const auto byte = [at](int i) { return static_cast<int32_t>(static_cast<uint8_t>(at[i])); };
  const int32_t first = byte(0);
  if (first < 0x80) return {kAsciiClass[static_cast<size_t>(first)], 1};
  if (first < 0xE0) return {char_class(((first & 0x1F) << 6) | (byte(1) & 0x3F)), 2};
  if (first < 0xF0)
    return {char_class(((first & 0x0F) << 12) | ((byte(1) & 0x3F) << 6) | (byte(2) & 0x3F)), 3};
  return {char_class(((first & 0x07) << 18) | ((byte(1) & 0x3F) << 12) | ((byte(2) & 0x3F) << 6) |
                     (byte(3) & 0x3F)),
          4};
}

// The end of the run of characters of one class.
inline const char* run(const char* at, const char* end, CharClass kind) {
  while (at < end) {
    const Char next = char_at(at);
    if (next.kind != kind) break;
    at += next.length;
  }
  return at;
}

// \s+(?!\S)|\s+ from `at`, whose white space ends at `stop`: all of it at the end of the text, else
// all but the last character (which may open the next piece), else that one character.
inline const char* white_space(const char* at, const char* stop, const char* end) {
  if (stop == end) return stop;
  const char* last = stop - 1;
  while ((static_cast<uint8_t>(*last) & 0xC0) == 0x80) --last;
  return last == at ? stop : last;
}

// Bytes of 's|'t|'re|'ve|'m|'ll|'d at an apostrophe, or 0.
inline int64_t contraction(const char* at, const char* end) {
  if (end - at < 2) return 0;
  switch (at[1]) {
    case 's':
    case 't':
    case 'm':
    case 'd':
      return 2;
    case 'r':
    case 'v':
      return end - at > 2 && at[2] == 'e' ? 3 : 0;
    case 'l':
      return end - at > 2 && at[2] == 'l' ? 3 : 0;
    default:
      return 0;
  }
}

// The same without regard to case, in which the long s (U+017F) is an s.
inline int64_t caseless_contraction(const char* at, const char* end) {
  std::array<char, 3> lower{'\'', 0, 0};
  for (int64_t i = 1; i < 3 && i < end - at; ++i)
    lower[static_cast<size_t>(i)] =
        at[i] >= 'A' && at[i] <= 'Z' ? static_cast<char>(at[i] + 32) : at[i];
  if (end - at >= 3 && std::memcmp(at + 1, "\xC5\xBF", 2) == 0) return 3;
  return contraction(lower.data(), lower.data() + std::min<int64_t>(3, end - at));
}

struct Gpt2Scanner {
  const char* operator()(const char* at, const char* end) const {
    if (*at == '\'')
      if (const int64_t length = contraction(at, end)) return at + length;
    const char* body = *at == ' ' && at + 1 < end ? at + 1 : at;
    const Char next = char_at(body);
    if (next.kind != CharClass::space) return run(body + next.length, end, next.kind);
    return white_space(at, run(at, end, CharClass::space), end);
  }
};

template <int kDigits>
struct Llama3Scanner {
  const char* operator()(const char* at, const char* end) const {
    const Char first = char_at(at);
    if (first.kind == CharClass::letter) return run(at + first.length, end, CharClass::letter);
    if (first.kind == CharClass::number) return numbers(at, end);
    if (*at == '\'')
      if (const int64_t length = caseless_contraction(at, end)) return at + length;
    const char* second = at + first.length;
    const Char next = second < end ? char_at(second) : Char{CharClass::space, 0};
    if (next.kind == CharClass::letter && *at != '\r' && *at != '\n')
      return run(second + next.length, end, CharClass::letter);
    if (first.kind == CharClass::other) return symbols(second, end);
    if (*at == ' ' && next.kind == CharClass::other) return symbols(second + next.length, end);
    return spaces(at, end);
  }

 private:
  static const char* numbers(const char* at, const char* end) {
    for (int i = 0; i < kDigits && at < end; ++i) {
      const Char next = char_at(at);
      if (next.kind != CharClass::number) break;
      at += next.length;
    }
    return at;
  }
  static const char* symbols(const char* at, const char* end) {
    at = run(at, end, CharClass::other);
    while (at < end && (*at == '\r' || *at == '\n')) ++at;
    return at;
  }
  // \s*[\r\n]+ ends after the last line break of the white space.
  static const char* spaces(const char* at, const char* end) {
    const char* stop = run(at, end, CharClass::space);
    for (const char* last = stop; last > at; --last)
      if (last[-1] == '\r' || last[-1] == '\n') return last;
    return white_space(at, stop, end);
  }
};

template <class Scanner>
class ScanSplitter : public Splitter {
 public:
  int64_t split(std::string_view text, int64_t from, std::span<int64_t> ends) const override {
    const char *begin = text.data(), *end = begin + text.size(), *at = begin + from;
    int64_t count = 0;
    while (at < end && count < static_cast<int64_t>(ends.size())) {
      at = Scanner{}(at, end);
      ends[static_cast<size_t>(count++)] = at - begin;
    }
    return count;
  }
};

}  // namespace

std::string pattern_expression(std::string_view name) {
  for (const NamedPattern& known : kPatterns)
    if (known.name == name) return std::string(known.expression);
  return std::string(name);
}

std::string pattern_name(std::string_view expression) {
  for (const NamedPattern& known : kPatterns)
    if (known.expression == expression) return std::string(known.name);
  return std::string(expression);
}

std::vector<std::string> pattern_names() {
  std::vector<std::string> names;
  for (const NamedPattern& known : kPatterns) names.emplace_back(known.name);
  return names;
}

std::unique_ptr<Splitter> make_splitter(std::string_view pattern) {
  const std::string name = pattern_name(pattern);
  if (name == "gpt2") return std::make_unique<ScanSplitter<Gpt2Scanner>>();
  if (name == "llama3") return std::make_unique<ScanSplitter<Llama3Scanner<3>>>();
  if (name == "qwen2") return std::make_unique<ScanSplitter<Llama3Scanner<1>>>();
  return make_regex_splitter(pattern);
}

}  // namespace malssi
