// Regular expressions, read into a grammar's nodes.
#include <algorithm>

#include "base/error.h"
#include "text/grammar/grammar.h"
#include "text/utf8.h"

namespace malssi {
namespace {

constexpr size_t kMaxPattern = 1 << 16;
constexpr int kMaxDepth = 100;
constexpr int64_t kMaxRepeat = 10'000;

const CharacterRanges kDigits = {{'0', '9'}};
const CharacterRanges kWords = {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}};
const CharacterRanges kSpaces = {{'\t', '\r'}, {' ', ' '}};

class RegexParser {
 public:
  explicit RegexParser(std::string_view text) : text_(text) {
    REQUIRE(text.size() <= kMaxPattern, "regular expression: ", text.size(),
            " bytes, expected at most ", kMaxPattern);
    REQUIRE(is_valid_utf8(text), "regular expression: it is not UTF-8");
  }

  ParsedRegex run() {
    ParsedRegex regex;
    regex.from_start = take('^');
    regex.node = alternatives(0);
    regex.to_end = take('$');
    if (at_ < text_.size()) fail(concat("unexpected '", text_[at_], "'"));
    const bool anchored = regex.from_start || regex.to_end;
    if (anchored && alternated_)
      fail("^ and $ beside | are ambiguous: put the alternatives in (..)");
    return regex;
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw Error(concat("regular expression: at byte ", at_ + 1, ": ", what));
  }
  bool more() const { return at_ < text_.size(); }
  bool take(char c) {
    const bool found = more() && text_[at_] == c;
    at_ += found;
    return found;
  }
  int32_t character() {
    if (!more()) fail("it ends too early");
    const CodePoint c = decode_utf8(text_, static_cast<int64_t>(at_));
    at_ += static_cast<size_t>(c.length);
    return c.value;
  }

  NodePtr alternatives(int depth) {
    if (depth > kMaxDepth) fail("groups are nested too deeply");
    std::vector<NodePtr> branches = {branch(depth)};
    while (take('|')) {
      alternated_ = alternated_ || depth == 0;
      branches.push_back(branch(depth));
    }
    return choice(std::move(branches));
  }

  NodePtr branch(int depth) {
    std::vector<NodePtr> parts;
    while (more() && text_[at_] != '|' && text_[at_] != ')') {
      if (text_[at_] == '$' && at_ + 1 == text_.size()) break;
      parts.push_back(repeated(atom(depth)));
    }
    return sequence(std::move(parts));
  }

  NodePtr atom(int depth) {
    const size_t begin = at_;
    const int32_t c = character();
    switch (c) {
      case '(':
        return group(depth);
      case '[':
        return characters(bracket());
      case '.':
        return characters(complement({{'\n', '\n'}}));
      case '\\':
        return characters(escape());
      case '*':
      case '+':
      case '?':
      case '{':
      case '^':
      case '$':
        at_ = begin;
        fail(concat("'", static_cast<char>(c),
                    "' is not supported here: put \\ before it to mean the character"));
      default:
        return characters({{c, c}});
    }
  }

  NodePtr group(int depth) {
    if (take('?') && !take(':')) fail("of groups that begin with (? only (?:..) is supported");
    NodePtr inside = alternatives(depth + 1);
    if (!take(')')) fail("a group is not closed");
    return inside;
  }

  int64_t count() {
    int64_t value = 0;
    const size_t begin = at_;
    for (; more() && text_[at_] >= '0' && text_[at_] <= '9'; ++at_) {
      value = value * 10 + (text_[at_] - '0');
      if (value > kMaxRepeat) fail(concat("a repetition of more than ", kMaxRepeat));
    }
    if (begin == at_) fail("expected a number in {..}");
    return value;
  }

  NodePtr repeated(NodePtr node) {
    if (!more()) return node;
    if (take('*')) {
      node = repeat(std::move(node), 0, -1);
    } else if (take('+')) {
      node = repeat(std::move(node), 1, -1);
    } else if (take('?')) {
      node = optional(std::move(node));
    } else if (take('{')) {
      const int64_t least = count();
      int64_t most = least;
      if (take(',')) most = more() && text_[at_] != '}' ? count() : -1;
      if (!take('}')) fail("{ is not closed");
      node = repeat(std::move(node), least, most);
    } else {
      return node;
    }
    if (more() &&
        (text_[at_] == '?' || text_[at_] == '+' || text_[at_] == '*' || text_[at_] == '{'))
      fail("one repetition after another (lazy or possessive) is not supported");
    return node;
  }

  int32_t hexadecimal(int digits) {
    int32_t value = 0;
    for (int i = 0; i < digits; ++i) {
      const int32_t c = character();
      const int32_t digit = c >= '0' && c <= '9'   ? c - '0'
                            : c >= 'a' && c <= 'f' ? c - 'a' + 10
                            : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                                   : -1;
      if (digit < 0) fail("expected hexadecimal digits");
      value = value * 16 + digit;
    }
    return value;
  }

  CharacterRanges escape() {
    const int32_t c = character();
    constexpr std::string_view kNames = "ntrfv", kValues = "\n\t\r\f\v";
    if (c < 0x80 && kNames.find(static_cast<char>(c)) != kNames.npos) {
      const char value = kValues[kNames.find(static_cast<char>(c))];
      return {{value, value}};
    }
    if (c == 'd') return kDigits;
    if (c == 'w') return kWords;
    if (c == 's') return kSpaces;
    if (c == 'D') return complement(kDigits);
    if (c == 'W') return complement(kWords);
    if (c == 'S') return complement(kSpaces);
    if (c == 'x' || c == 'u') {
      const int32_t value = hexadecimal(c == 'x' ? 2 : 4);
      return {{value, value}};
    }
    const bool word = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (word) fail(concat("\\", static_cast<char>(c), " is not supported"));
    return {{c, c}};
  }

  CharacterRanges bracket() {
    CharacterRanges ranges;
    const bool negated = take('^');
    if (more() && text_[at_] == ']') fail("[] is empty: put \\ before ] to mean the character");
    while (!take(']')) {
      const CharacterRanges one = class_character();
      const bool single = one.size() == 1 && one[0].first == one[0].second;
      const bool range =
          more() && text_[at_] == '-' && at_ + 1 < text_.size() && text_[at_ + 1] != ']';
      if (!range) {
        ranges.insert(ranges.end(), one.begin(), one.end());
        continue;
      }
      ++at_;
      const CharacterRanges end = class_character();
      if (!single || end.size() != 1 || end[0].first != end[0].second ||
          end[0].first < one[0].first)
        fail("a range in [..] is wrong");
      ranges.emplace_back(one[0].first, end[0].first);
    }
    return negated ? complement(std::move(ranges)) : ranges;
  }

  CharacterRanges class_character() {
    const int32_t c = character();
    if (c == '\\') return escape();
    if (c == '[' && more() && text_[at_] == ':') fail("[:classes:] are not supported");
    return {{c, c}};
  }

  std::string_view text_;
  size_t at_ = 0;
  bool alternated_ = false;
};

}  // namespace

ParsedRegex parse_regex(std::string_view pattern) { return RegexParser(pattern).run(); }

Grammar regex_grammar(std::string_view pattern) { return {.rules = {parse_regex(pattern).node}}; }

}  // namespace malssi
