#include "data/world/pattern.h"

#include "base/error.h"
#include "data/world/hangul.h"

namespace malssi::world {
namespace {

std::string in_form(const std::string& word, std::string_view form, Language language) {
  if (form.empty()) return word;
  if (language == Language::korean) return with_particle(word, form);
  if (form == "a") return with_article(word);
  if (form == "A") return capitalized(with_article(word));
  if (form == "Cap") return capitalized(word);
  throw InternalError(concat("pattern: unknown English form \"", form, "\""));
}

}  // namespace

std::string_view language_code(Language language) {
  return language == Language::english ? "en" : "ko";
}

void Slots::set(std::string_view name, Term term) {
  for (auto& [known, value] : terms_) {
    if (known != name) continue;
    value = std::move(term);
    return;
  }
  terms_.emplace_back(name, std::move(term));
}

const Term& Slots::get(std::string_view name) const {
  for (const auto& [known, term] : terms_)
    if (known == name) return term;
  throw InternalError(concat("pattern: unknown slot \"", name, "\""));
}

std::string fill(std::string_view pattern, const Slots& slots, Language language) {
  std::string text;
  while (!pattern.empty()) {
    const size_t open = pattern.find('{');
    text += pattern.substr(0, open);
    if (open == std::string_view::npos) break;
    const size_t close = pattern.find('}', open);
    CHECK(close != std::string_view::npos, "pattern: open brace in \"", pattern, "\"");
    const std::string_view slot = pattern.substr(open + 1, close - open - 1);
    const size_t colon = slot.find(':');
    const std::string_view form =
        colon == std::string_view::npos ? std::string_view() : slot.substr(colon + 1);
    text += in_form(slots.get(slot.substr(0, colon)).in(language), form, language);
    pattern.remove_prefix(close + 1);
  }
  return text;
}

std::string capitalized(std::string_view english) {
  std::string text(english);
  if (!text.empty() && text[0] >= 'a' && text[0] <= 'z')
    text[0] = static_cast<char>(text[0] - 'a' + 'A');
  return text;
}

std::string with_article(std::string_view english) {
  const bool vowel =
      !english.empty() && std::string_view("aeiouAEIOU").find(english[0]) != std::string_view::npos;
  return concat(vowel ? "an " : "a ", english);
}

}  // namespace malssi::world
