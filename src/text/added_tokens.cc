#include "text/added_tokens.h"

#include <algorithm>
#include <functional>

#include "base/error.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace malssi {
namespace {

// Start of the white space that ends right before `end`, not before `floor`.
int64_t space_start(std::string_view text, int64_t floor, int64_t end) {
  while (end > floor) {
    int64_t start = end - 1;
    while (start > floor && (static_cast<uint8_t>(text[static_cast<size_t>(start)]) & 0xC0) == 0x80)
      --start;
    const CodePoint last = decode_utf8(text, start);
    if (last.value < 0 || start + last.length != end || char_class(last.value) != CharClass::space)
      break;
    end = start;
  }
  return end;
}

int64_t space_end(std::string_view text, int64_t at) {
  while (at < static_cast<int64_t>(text.size())) {
    const CodePoint next = decode_utf8(text, at);
    if (next.value < 0 || char_class(next.value) != CharClass::space) break;
    at += next.length;
  }
  return at;
}

// Whether a character can be part of a word, as \w has it.
bool is_word(CodePoint character) {
  if (character.value < 0) return false;
  const CharClass kind = char_class(character.value);
  return kind == CharClass::letter || kind == CharClass::number || character.value == '_' ||
         is_mark(character.value);
}

// Whether text[begin, end) has no part of a word on either side.
bool stands_alone(std::string_view text, int64_t begin, int64_t end) {
  int64_t before = begin - 1;
  while (before > 0 && (static_cast<uint8_t>(text[static_cast<size_t>(before)]) & 0xC0) == 0x80)
    --before;
  if (before >= 0 && is_word(decode_utf8(text, before))) return false;
  return end >= std::ssize(text) || !is_word(decode_utf8(text, end));
}

}  // namespace

void AddedTokens::add(AddedToken token) {
  REQUIRE(!token.text.empty(), "added token ", token.id, " has an empty text");
  CHECK(token.id >= 0, "an added token needs an id");
  plain_ = plain_ || !token.special;
  const auto id = static_cast<size_t>(token.id);
  if (id >= index_.size()) index_.resize(id + 1, -1);
  if (index_[id] >= 0) {
    AddedToken& known = tokens_[static_cast<size_t>(index_[id])];
    REQUIRE(known.text == token.text, "added tokens '", known.text, "' and '", token.text,
            "' have the same id ", id);
    known = std::move(token);
    return;
  }
  auto& lengths = lengths_[static_cast<uint8_t>(token.text[0])];
  const int64_t length = std::ssize(token.text);
  const auto place = std::lower_bound(lengths.begin(), lengths.end(), length, std::greater<>());
  if (place == lengths.end() || *place != length) lengths.insert(place, length);
  index_[id] = static_cast<int32_t>(tokens_.size());
  places_.add(index_[id], token.text);
  tokens_.push_back(std::move(token));
}

const AddedToken* AddedTokens::find_id(int32_t id) const {
  if (id < 0 || static_cast<size_t>(id) >= index_.size()) return nullptr;
  const int32_t place = index_[static_cast<size_t>(id)];
  return place < 0 ? nullptr : &tokens_[static_cast<size_t>(place)];
}

bool AddedTokens::is_special(int32_t id) const {
  const AddedToken* token = find_id(id);
  return token && token->special;
}

const AddedToken* AddedTokens::find(std::string_view text) const {
  const auto place = places_.find(text);
  return place ? &tokens_[static_cast<size_t>(*place)] : nullptr;
}

const AddedToken* AddedTokens::match_at(std::string_view text, int64_t at,
                                        bool parse_special) const {
  const std::string_view rest = text.substr(static_cast<size_t>(at));
  for (const int64_t length : lengths_[static_cast<uint8_t>(rest[0])]) {
    if (length > std::ssize(rest)) continue;
    const AddedToken* token = find(rest.substr(0, static_cast<size_t>(length)));
    if (token && (parse_special || !token->special) &&
        (!token->single_word || stands_alone(text, at, at + length)))
      return token;
  }
  return nullptr;
}

AddedTokens::Match AddedTokens::next(std::string_view text, int64_t from,
                                     bool parse_special) const {
  const auto size = static_cast<int64_t>(text.size());
  for (int64_t at = from; at < size; ++at) {
    if (lengths_[static_cast<uint8_t>(text[static_cast<size_t>(at)])].empty()) continue;
    const AddedToken* token = match_at(text, at, parse_special);
    if (!token) continue;
    Match match{at, at + static_cast<int64_t>(token->text.size()), token->id};
    if (token->strip_left) match.begin = space_start(text, from, match.begin);
    if (token->strip_right) match.end = space_end(text, match.end);
    return match;
  }
  return {size, size, -1};
}

AddedTokens::Match AddedTokens::next_special(std::string_view text, int64_t from) const {
  Match match = next(text, from, true);
  while (match.id >= 0 && !is_special(match.id)) match = next(text, match.end, true);
  return match;
}

}  // namespace malssi
