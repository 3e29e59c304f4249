// Splits text into the pieces that byte-level BPE never merges across.
// "gpt2", "llama3" and "qwen2" are hand-written scanners for those models' published patterns
// (checked against PCRE2 in the tests); any other pattern is a regular expression for PCRE2,
// compiled to machine code and run with limits.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace malssi {

class Splitter {
 public:
  virtual ~Splitter() = default;
  // Writes the ends of the next pieces of text[from ..] into `ends` and returns how many (at least
  // 1; the pieces cover the text without gaps). The text must be valid UTF-8 and from <
  // text.size(). Thread-safe. Error: a regular expression that takes too many steps on this text.
  virtual int64_t split(std::string_view text, int64_t from, std::span<int64_t> ends) const = 0;
};

// `pattern` is a name or a regular expression whose matches, and the gaps between them, are the
// pieces. A published expression is recognised and gets its scanner. Error: an invalid regular
// expression, with the place.
std::unique_ptr<Splitter> make_splitter(std::string_view pattern);
// The same for any pattern through PCRE2 (the tests' reference).
std::unique_ptr<Splitter> make_regex_splitter(std::string_view pattern);

// The expression behind a name (or the argument itself), and the name of a published expression (or
// the argument).
std::string pattern_expression(std::string_view name);
std::string pattern_name(std::string_view expression);
std::vector<std::string> pattern_names();

}  // namespace malssi
