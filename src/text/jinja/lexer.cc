#include "text/jinja/lexer.h"

#include <algorithm>
#include <array>

#include "base/error.h"
#include "text/utf8.h"

namespace malssi::jinja {
namespace {

constexpr std::string_view kSpace = " \t\n\r\v\f";
constexpr std::array<std::string_view, 28> kSymbols = {  // the longest first
    "//", "**", "==", "!=", "<=", ">=", "+", "-", "/", "*", "%", "~", "[", "]",
    "(",  ")",  "{",  "}",  "<",  ">",  "=", ".", ":", "|", ",", ";", "!", "@"};

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool begins_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

std::string with_plain_line_breaks(std::string_view source) {
  std::string out;
  out.reserve(source.size());
  for (size_t i = 0; i < source.size(); ++i) {
    if (source[i] == '\r' && i + 1 < source.size() && source[i + 1] == '\n') continue;
    out += source[i] == '\r' ? '\n' : source[i];
  }
  if (out.ends_with('\n')) out.pop_back();
  return out;
}

class Lexer {
 public:
  Lexer(std::string_view source, std::string_view where)
      : source_(with_plain_line_breaks(source)), text_(source_), where_(where) {}

  std::vector<Token> run() {
    while (at_ < text_.size()) {
      const size_t tag = find_tag(at_);
      if (tag == text_.npos) {
        add_data(text_.substr(at_));
        at_ = text_.size();
        break;
      }
      add_data_before(tag);
      count_lines(at_, tag);
      at_ = tag + 2;
      const char kind = text_[tag + 1];
      if (at_ < text_.size() && (text_[at_] == '-' || text_[at_] == '+')) ++at_;
      if (kind == '#')
        comment(tag);
      else if (kind == '%' && !raw())
        block("%}", TokenKind::block_begin, TokenKind::block_end);
      else if (kind == '{')
        block("}}", TokenKind::output_begin, TokenKind::output_end);
    }
    add(TokenKind::end, "");
    return std::move(tokens_);
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw Error(concat(where_, ": line ", line_, ": ", what));
  }

  void add(TokenKind kind, std::string text) {
    tokens_.push_back({.kind = kind, .text = std::move(text), .line = line_});
  }
  void add_data(std::string_view text) {
    if (!text.empty()) add(TokenKind::data, std::string(text));
  }

  size_t find_tag(size_t from) const {
    for (size_t at = text_.find('{', from); at != text_.npos; at = text_.find('{', at + 1))
      if (at + 1 < text_.size() &&
          (text_[at + 1] == '{' || text_[at + 1] == '%' || text_[at + 1] == '#'))
        return at;
    return text_.npos;
  }

  void count_lines(size_t from, size_t to) {
    line_ += static_cast<int>(std::count(text_.begin() + static_cast<std::ptrdiff_t>(from),
                                         text_.begin() + static_cast<std::ptrdiff_t>(to), '\n'));
  }

  std::string_view stripped_before(std::string_view data, size_t tag) const {
    const char sign = tag + 2 < text_.size() ? text_[tag + 2] : ' ';
    if (sign == '-') {
      const size_t last = data.find_last_not_of(kSpace);
      return data.substr(0, last == data.npos ? 0 : last + 1);
    }
    if (sign == '+' || text_[tag + 1] == '{') return data;
    const size_t line = data.rfind('\n') + 1;  // npos + 1 is 0
    if ((line > 0 || line_begins_) && data.find_first_not_of(kSpace, line) == data.npos)
      return data.substr(0, line);
    return data;
  }

  void add_data_before(size_t tag) { add_data(stripped_before(text_.substr(at_, tag - at_), tag)); }

  // Goes past a tag's end at `at_`, whose sign and two characters are `close`.
  void after_tag(char sign, bool trims) {
    const size_t begin = at_;
    if (sign == '-')
      at_ = std::min(text_.find_first_not_of(kSpace, at_), text_.size());
    else if (sign != '+' && trims && at_ < text_.size() && text_[at_] == '\n')
      ++at_;
    line_begins_ = at_ > begin && text_[at_ - 1] == '\n';
    count_lines(begin, at_);
  }

  void comment(size_t tag) {
    const size_t close = text_.find("#}", tag + 2);
    if (close == text_.npos) fail("a comment {# is not closed");
    const char sign = close > tag + 2 ? text_[close - 1] : ' ';
    count_lines(tag, close);
    at_ = close + 2;
    after_tag(sign, true);
  }

  // The place after `word` in a tag, white space around it, or npos.
  size_t after_word(size_t at, std::string_view word) const {
    at = text_.find_first_not_of(kSpace, at);
    if (at == text_.npos || !text_.substr(at).starts_with(word)) return text_.npos;
    return std::min(text_.find_first_not_of(kSpace, at + word.size()), text_.size());
  }

  // The sign and end of "-%}", "+%}" or "%}" at a place; npos: something else.
  size_t block_close(size_t at, char& sign) const {
    sign = at < text_.size() && (text_[at] == '-' || text_[at] == '+') ? text_[at] : ' ';
    if (sign != ' ') ++at;
    return at <= text_.size() && text_.substr(at).starts_with("%}") ? at + 2 : text_.npos;
  }

  bool raw() {
    char sign = ' ';
    const size_t inside = after_word(at_, "raw");
    if (inside == text_.npos) return false;
    const size_t begin = block_close(inside, sign);
    if (begin == text_.npos) return false;
    count_lines(at_, begin);
    at_ = begin;
    after_tag(sign, false);
    for (size_t tag = text_.find("{%", at_); tag != text_.npos; tag = text_.find("{%", tag + 2)) {
      const bool signed_tag =
          tag + 2 < text_.size() && (text_[tag + 2] == '-' || text_[tag + 2] == '+');
      const size_t word = after_word(tag + 2 + (signed_tag ? 1 : 0), "endraw");
      const size_t end = word == text_.npos ? word : block_close(word, sign);
      if (end == text_.npos) continue;
      add_data_before(tag);
      count_lines(at_, end);
      at_ = end;
      after_tag(sign, true);
      return true;
    }
    fail("{% raw %} is not closed: expected {% endraw %}");
  }

  void block(std::string_view close, TokenKind begin, TokenKind end) {
    add(begin, "");
    std::string open;  // brackets not closed yet
    while (true) {
      const size_t next = text_.find_first_not_of(kSpace, at_);
      if (next == text_.npos) fail("a tag is not closed");
      count_lines(at_, next);
      at_ = next;
      const char sign = text_[at_];
      const bool is_signed = sign == '-' || (sign == '+' && close == "%}");
      if (open.empty() && text_.substr(at_ + (is_signed ? 1 : 0)).starts_with(close)) {
        at_ += close.size() + (is_signed ? 1 : 0);
        add(end, "");
        return after_tag(is_signed ? sign : ' ', end == TokenKind::block_end);
      }
      token(open);
    }
  }

  void token(std::string& open) {
    const char c = text_[at_];
    if (begins_name(c)) {
      const size_t begin = at_;
      while (at_ < text_.size() && (begins_name(text_[at_]) || is_digit(text_[at_]))) ++at_;
      return add(TokenKind::name, std::string(text_.substr(begin, at_ - begin)));
    }
    if (is_digit(c)) return number();
    if (c == '"' || c == '\'') return string(c);
    for (const std::string_view symbol : kSymbols) {
      if (!text_.substr(at_).starts_with(symbol)) continue;
      balance(symbol, open);
      at_ += symbol.size();
      return add(TokenKind::symbol, std::string(symbol));
    }
    fail(concat("unexpected character '", c, "'"));
  }

  void balance(std::string_view symbol, std::string& open) {
    constexpr std::string_view kOpen = "([{", kClose = ")]}";
    if (kOpen.find(symbol) != kOpen.npos) {
      open += kClose[kOpen.find(symbol)];
    } else if (kClose.find(symbol) != kClose.npos) {
      if (open.empty() || open.back() != symbol[0]) fail(concat("unexpected '", symbol, "'"));
      open.pop_back();
    }
  }

  void number() {
    const bool member =
        !tokens_.empty() && tokens_.back().kind == TokenKind::symbol && tokens_.back().text == ".";
    std::string digits;
    const auto take = [&] {
      while (at_ < text_.size() && (is_digit(text_[at_]) || text_[at_] == '_')) {
        if (text_[at_] != '_') digits += text_[at_];
        ++at_;
      }
    };
    take();
    bool real = false;
    if (!member && at_ + 1 < text_.size() && text_[at_] == '.' && is_digit(text_[at_ + 1])) {
      real = true;
      digits += text_[at_++];
      take();
    }
    if (!member && at_ < text_.size() && (text_[at_] == 'e' || text_[at_] == 'E')) {
      size_t next = at_ + 1;
      if (next < text_.size() && (text_[next] == '+' || text_[next] == '-')) ++next;
      if (next < text_.size() && is_digit(text_[next])) {
        real = true;
        digits += text_.substr(at_, next - at_);
        at_ = next;
        take();
      }
    }
    add(real ? TokenKind::real : TokenKind::integer, digits);
  }

  void string(char quote) {
    const int line = line_;
    std::string out;
    for (++at_; at_ < text_.size() && text_[at_] != quote; ++at_) {
      if (text_[at_] == '\n') ++line_;
      if (text_[at_] != '\\')
        out += text_[at_];
      else
        escape(out);
    }
    if (at_ >= text_.size()) fail("a string is not closed");
    ++at_;
    tokens_.push_back({.kind = TokenKind::string, .text = std::move(out), .line = line});
  }

  void escape(std::string& out) {
    constexpr std::string_view kNames = "ntrbfav\\'\"", kValues = "\n\t\r\b\f\a\v\\'\"";
    if (++at_ >= text_.size()) return;
    const char c = text_[at_];
    if (const size_t known = kNames.find(c); known != kNames.npos) {
      out += kValues[known];
    } else if (c == 'x' || c == 'u' || c == 'U') {
      numbered(out, c == 'x' ? 2 : c == 'u' ? 4 : 8, 16, 1);
    } else if (c >= '0' && c <= '7') {
      numbered(out, 3, 8, 0);
    } else if (c != '\n') {  // a line break after a backslash goes with it
      out += '\\';
      out += c;
    } else {
      ++line_;
    }
  }

  // A character given by up to `digits` digits, `skip` characters from here.
  void numbered(std::string& out, size_t digits, int base, size_t skip) {
    int64_t value = 0;
    size_t read = 0;
    for (; read < digits && at_ + skip + read < text_.size(); ++read) {
      const char c = text_[at_ + skip + read];
      const int digit = is_digit(c)              ? c - '0'
                        : (c >= 'a' && c <= 'f') ? c - 'a' + 10
                        : (c >= 'A' && c <= 'F') ? c - 'A' + 10
                                                 : 99;
      if (digit >= base) break;
      value = value * base + digit;
    }
    if (read == 0 || (base == 16 && read < digits)) fail("a \\ escape lacks digits");
    if (value > 0x10FFFF || (value >= 0xD800 && value < 0xE000))
      fail("a \\ escape is no character");
    append_utf8(out, static_cast<int32_t>(value));
    at_ += skip + read - 1;
  }

  std::string source_;
  std::string_view text_;
  std::string_view where_;
  size_t at_ = 0;
  int line_ = 1;
  bool line_begins_ = true;
  std::vector<Token> tokens_;
};

}  // namespace

std::vector<Token> tokenize(std::string_view source, std::string_view where) {
  return Lexer(source, where).run();
}

}  // namespace malssi::jinja
