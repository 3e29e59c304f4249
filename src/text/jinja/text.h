// A string in which each byte knows where it comes from: mark 0 is the template's own word, any
// other mark names a source that the caller chose (a message, the tools). Whatever a template does
// to a string keeps the marks, so that "<|im_end|>" as a user typed it can be told from the one the
// template wrote. Positions and counts of `Text` are bytes; slices count characters, as Python's.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace malssi::jinja {

using Mark = uint16_t;
inline constexpr Mark kGeneration = 0x8000;  // this bit: written inside {% generation %}

class Text {
 public:
  Text() = default;
  explicit Text(std::string bytes, Mark mark = 0);

  std::string_view bytes() const { return bytes_; }
  size_t size() const { return bytes_.size(); }
  bool empty() const { return bytes_.empty(); }
  Mark mark(size_t at) const { return marks_.empty() ? Mark{0} : marks_[at]; }

  void append(std::string_view bytes, Mark mark = 0);
  void append(const Text& other) { append(other, 0, other.size()); }
  void append(const Text& other, size_t from, size_t count);
  Text part(size_t from, size_t count) const;
  // Sets the bits of `mark` on every byte.
  void add_mark(Mark mark);

 private:
  void need_marks();

  std::string bytes_;
  std::vector<Mark> marks_;  // one per byte, or none where all are 0
};

enum class Side { left, right, both };
// Without characters at the sides; no characters given: white space. `characters` holds the set.
Text strip(const Text& text, std::string_view characters, Side side);
// At every `separator`, at most `most` times (-1: no limit); an empty separator: at white space.
std::vector<Text> split(const Text& text, std::string_view separator, int64_t most, Side from);
// How often it stands there, none in another; an empty one stands between all characters, as replace() sees it.
int64_t occurrences(std::string_view text, std::string_view part);
Text replace(const Text& text, std::string_view from, const Text& to, int64_t most);
// Simple case mapping, one character to one.
enum class Case { upper, lower, title, capitalize };
Text with_case(const Text& text, Case form);
int64_t characters(std::string_view text);
// The byte where each character begins, and the size of the text at the end.
std::vector<size_t> character_starts(std::string_view text);
bool is_white_space(int32_t character);

}  // namespace malssi::jinja
