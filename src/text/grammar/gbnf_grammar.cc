// llama.cpp's grammar format, read into a grammar's nodes.
#include <map>

#include "base/error.h"
#include "text/grammar/grammar.h"
#include "text/utf8.h"

namespace malssi {
namespace {

constexpr size_t kMaxText = 1 << 20;
constexpr int kMaxDepth = 100;
constexpr int64_t kMaxRepeat = 10'000;
constexpr int kMaxRepeats = 4;  // one after another, each of which is a level of nesting

bool in_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_';
}

class GbnfParser {
 public:
  explicit GbnfParser(std::string_view text) : text_(text) {
    REQUIRE(text.size() <= kMaxText, "grammar: ", text.size(), " bytes, expected at most ",
            kMaxText);
    REQUIRE(is_valid_utf8(text), "grammar: it is not UTF-8");
  }

  Grammar run() {
    number("root");
    for (space(true); at_ < text_.size(); space(true)) definition();
    for (const auto& [name, place] : numbers_)
      REQUIRE(rules_[static_cast<size_t>(place)], "grammar: the rule '", name, "' is not defined");
    return {.rules = std::move(rules_)};
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    int line = 1;
    for (size_t i = 0; i < at_ && i < text_.size(); ++i) line += text_[i] == '\n';
    throw Error(concat("grammar: line ", line, ": ", what));
  }

  int32_t number(const std::string& name) {
    const auto [place, added] = numbers_.emplace(name, static_cast<int32_t>(rules_.size()));
    if (added) rules_.emplace_back();
    return place->second;
  }

  // Past white space and comments; line ends too where they mean nothing.
  void space(bool lines) {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '#')
        while (at_ < text_.size() && text_[at_] != '\n') ++at_;
      else if (c == ' ' || c == '\t' || (lines && (c == '\n' || c == '\r')))
        ++at_;
      else
        return;
    }
  }
  bool take(std::string_view symbol) {
    const bool found = text_.substr(at_).starts_with(symbol);
    if (found) at_ += symbol.size();
    return found;
  }

  std::string name() {
    const size_t begin = at_;
    while (at_ < text_.size() && in_name(text_[at_])) ++at_;
    if (begin == at_) fail("expected the name of a rule");
    return std::string(text_.substr(begin, at_ - begin));
  }

  void definition() {
    const int32_t own = number(name());
    space(false);
    if (!take("::=")) fail("expected ::= after the rule's name");
    if (rules_[static_cast<size_t>(own)]) fail("a rule is defined twice");
    space(true);
    NodePtr node = alternatives(0);
    rules_[static_cast<size_t>(own)] = std::move(node);
    space(false);
    if (at_ < text_.size() && text_[at_] != '\n' && text_[at_] != '\r')
      fail("expected the end of the rule");
  }

  NodePtr alternatives(int depth) {
    if (depth > kMaxDepth) fail("groups are nested too deeply");
    std::vector<NodePtr> branches = {branch(depth)};
    while (true) {
      const size_t before = at_;
      space(true);
      if (!take("|")) {
        at_ = before;
        return choice(std::move(branches));
      }
      space(true);
      branches.push_back(branch(depth));
    }
  }

  NodePtr branch(int depth) {
    std::vector<NodePtr> parts;
    for (space(depth > 0); at_ < text_.size(); space(depth > 0)) {
      const char c = text_[at_];
      if (c != '"' && c != '[' && c != '(' && c != '.' && !in_name(c)) break;
      parts.push_back(repeated(atom(depth)));
    }
    return sequence(std::move(parts));
  }

  NodePtr atom(int depth) {
    if (take(".")) return characters({{0, 0x10FFFF}});
    if (take("[")) return bracket();
    if (take("(")) {
      space(true);
      NodePtr inside = alternatives(depth + 1);
      space(true);
      if (!take(")")) fail("a group is not closed");
      return inside;
    }
    if (!take("\"")) return rule(number(name()));
    std::vector<NodePtr> parts;
    while (!take("\"")) {
      const int32_t c = character();
      parts.push_back(characters({{c, c}}));
    }
    return sequence(std::move(parts));
  }

  NodePtr bracket() {
    const bool negated = take("^");
    CharacterRanges ranges;
    while (!take("]")) {
      const int32_t first = character();
      int32_t last = first;
      if (at_ + 1 < text_.size() && text_[at_] == '-' && text_[at_ + 1] != ']') {
        ++at_;
        last = character();
      }
      if (last < first) fail("a range in [..] is wrong");
      ranges.emplace_back(first, last);
    }
    return characters(negated ? complement(std::move(ranges)) : std::move(ranges));
  }

  int32_t character() {
    if (at_ >= text_.size()) fail("the grammar ends inside \"..\" or [..]");
    if (text_[at_] == '\n') fail("a line ends inside \"..\" or [..]");
    if (!take("\\")) {
      const CodePoint c = decode_utf8(text_, static_cast<int64_t>(at_));
      at_ += static_cast<size_t>(c.length);
      return c.value;
    }
    if (at_ >= text_.size()) fail("the grammar ends after \\");
    const char c = text_[at_++];
    constexpr std::string_view kNames = "ntr\"\\[]", kValues = "\n\t\r\"\\[]";
    if (kNames.find(c) != kNames.npos) return kValues[kNames.find(c)];
    const int digits = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
    if (!digits) fail(concat("\\", c, " is not known"));
    int64_t value = 0;
    for (int i = 0; i < digits; ++i, ++at_) {
      const char h = at_ < text_.size() ? text_[at_] : ' ';
      const int digit = h >= '0' && h <= '9'   ? h - '0'
                        : h >= 'a' && h <= 'f' ? h - 'a' + 10
                        : h >= 'A' && h <= 'F' ? h - 'A' + 10
                                               : -1;
      if (digit < 0) fail("expected hexadecimal digits");
      value = value * 16 + digit;
    }
    if (value > 0x10FFFF) fail("an escape is no character");
    return static_cast<int32_t>(value);
  }

  int64_t count() {
    int64_t value = 0;
    const size_t begin = at_;
    for (; at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9'; ++at_) {
      value = value * 10 + (text_[at_] - '0');
      if (value > kMaxRepeat) fail(concat("a repetition of more than ", kMaxRepeat));
    }
    if (begin == at_) fail("expected a number in {..}");
    return value;
  }

  NodePtr repeated(NodePtr node) {
    for (int repeats = 0;; ++repeats) {
      if (repeats > kMaxRepeats) fail("too many repetitions one after another");
      space(false);
      if (take("*")) {
        node = repeat(std::move(node), 0, -1);
      } else if (take("+")) {
        node = repeat(std::move(node), 1, -1);
      } else if (take("?")) {
        node = optional(std::move(node));
      } else if (take("{")) {
        const int64_t least = count();
        int64_t most = least;
        if (take(",")) most = take("}") ? -1 : count();
        if (most >= 0 && !take("}")) fail("{ is not closed");
        node = repeat(std::move(node), least, most);
      } else {
        return node;
      }
    }
  }

  std::string_view text_;
  size_t at_ = 0;
  std::map<std::string, int32_t> numbers_;
  std::vector<NodePtr> rules_;
};

}  // namespace

Grammar gbnf_grammar(std::string_view text) { return GbnfParser(text).run(); }

}  // namespace malssi
