// Regular expressions of tokenizer files through PCRE2, compiled to machine code and run with limits.
// It reads \w as Hugging Face's engine does (letters, marks, digits, connecting
// punctuation, and the numbers of Latin-1), \s as White_Space and, unlike that engine, U+180E. Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace malssi {

class Regex {
 public:
  // Error: an invalid expression, with the place.
  explicit Regex(std::string_view expression);
  ~Regex();
  Regex(Regex&&) noexcept;

  // Calls `found` with the begin and end of one non-empty match after another from byte `from` on,
  // until it answers false. The text must be valid UTF-8. Error: too many steps on this text.
  void each_match(std::string_view text, int64_t from,
                  const std::function<bool(int64_t, int64_t)>& found) const;
  const std::string& expression() const;

 private:
  struct Compiled;
  std::unique_ptr<Compiled> compiled_;
};

// The expression that matches exactly this text.
std::string quote_regex(std::string_view text);

}  // namespace malssi
