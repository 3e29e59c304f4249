#include "infer/ngrams.h"

#include <algorithm>
#include <string>

#include "base/hash.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace malssi {
namespace {

// What n-grams are made of, in the text's order.
using Units = std::vector<std::string>;

bool is_of_word(int32_t value) {
  const CharClass its = char_class(value);
  return its == CharClass::letter || its == CharClass::number || is_mark(value);
}

template <class F>
void each_character(std::string_view text, F&& f) {
  const std::string whole = repair_utf8(text);
  for (int64_t at = 0; at < std::ssize(whole);) {
    const CodePoint point = decode_utf8(whole, at);
    f(point.value);
    at += point.length;
  }
}

Units words_of(std::string_view text) {
  Units words;
  bool goes_on = false;
  each_character(text, [&](int32_t value) {
    const bool is_space = char_class(value) == CharClass::space;
    const bool is_letter = is_of_word(value);
    if (!is_space) {
      if (!goes_on || !is_letter) words.emplace_back();
      append_lower_case(words.back(), value);
    }
    goes_on = is_letter;
  });
  return words;
}

Units characters_of(std::string_view text) {
  Units characters = {" "};
  each_character(text, [&](int32_t value) {
    const bool is_space = char_class(value) == CharClass::space;
    if (is_space && characters.back() == " ") return;
    characters.emplace_back();
    if (is_space)
      characters.back() = " ";
    else
      append_lower_case(characters.back(), value);
  });
  if (characters.back() != " ") characters.emplace_back(" ");
  return characters;
}

}  // namespace

std::vector<int64_t> ngrams_of(std::string_view text, const NgramTable& table) {
  if (table.kind == NgramKind::none) return {};
  const bool is_words = table.kind == NgramKind::words;
  const Units units = is_words ? words_of(text) : characters_of(text);
  const size_t shortest = is_words ? 1 : 2;
  std::vector<int64_t> found;
  for (size_t begin = 0; begin < units.size(); ++begin) {
    uint64_t hash = 0;
    const size_t most = std::min(units.size() - begin, static_cast<size_t>(table.longest));
    for (size_t size = 1; size <= most; ++size) {
      hash = hash64(units[begin + size - 1], hash);
      if (size >= shortest)
        found.push_back(static_cast<int64_t>(hash % static_cast<uint64_t>(table.buckets)));
    }
  }
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

}  // namespace malssi
