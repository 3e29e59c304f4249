// Sentence patterns: "{x} lives in {home}.", "{x:는} {home}에 살아요." A slot is a name in braces,
// with a form after a colon: English a (a or an before it), A (the same, capital), Cap (first
// letter capital); Korean: a particle (hangul.h).
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace malssi::world {

enum class Language { english, korean };
inline constexpr std::array kLanguages = {Language::english, Language::korean};
std::string_view language_code(Language language);  // "en", "ko"

// A word or phrase in both languages.
struct Term {
  std::string en, ko;
  const std::string& in(Language language) const { return language == Language::english ? en : ko; }
  bool operator==(const Term&) const = default;
};

// What the slots of a pattern stand for. Few entries: searched from the front.
class Slots {
 public:
  void set(std::string_view name, Term term);
  const Term& get(std::string_view name) const;  // throws InternalError when absent

 private:
  std::vector<std::pair<std::string, Term>> terms_;
};

// The pattern with its slots filled in. Throws InternalError for an unknown slot, form or an open
// brace.
std::string fill(std::string_view pattern, const Slots& slots, Language language);

std::string capitalized(std::string_view english);
std::string with_article(std::string_view english);  // "an apple", "a red kite"

}  // namespace malssi::world
