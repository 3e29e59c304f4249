#include "text/char_tokenizer.h"

#include <algorithm>
#include <cstdio>

#include "text/tokenizer_json.h"
#include "text/unknown.h"
#include "text/utf8.h"

namespace malssi {
namespace {

std::string hex(const char* format, int value) {
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), format, value);
  return text.data();
}

}  // namespace

CharTokenizer::CharTokenizer(Vocabulary vocabulary, AddedTokens added,
                             const std::array<int32_t, 256>& byte_ids)
    : byte_ids_(byte_ids) {
  vocabulary_ = std::move(vocabulary);
  added_ = std::move(added);
  for (int32_t id = 0; id < vocabulary_.size(); ++id) {
    const std::string_view bytes = vocabulary_.bytes(id);
    if (bytes.empty() || added_.find_id(id)) continue;
    if (byte_fallback() && byte_ids_[static_cast<uint8_t>(bytes[0])] == id) continue;
    const auto value = static_cast<size_t>(decode_utf8(bytes, 0).value);
    if (value >= char_ids_.size()) char_ids_.resize(value + 1, -1);
    char_ids_[value] = id;
  }
  find_roles();
}

void CharTokenizer::encode_unknown(std::string_view bytes, std::vector<int32_t>& out) const {
  if (!byte_fallback()) {
    const int32_t value = decode_utf8(bytes, 0).value;
    const std::string name = value < 0
                                 ? hex("byte 0x%02X", static_cast<uint8_t>(bytes[0]))
                                 : concat("character '", bytes, "' (", hex("U+%04X", value), ")");
    throw Error(concat("tokenizer: ", name, " is not among the ", vocab_size(),
                       " characters of this character tokenizer; train it with --byte-fallback or "
                       "on text with it"));
  }
  for (const char byte : bytes) out.push_back(byte_ids_[static_cast<uint8_t>(byte)]);
}

void CharTokenizer::encode_plain(std::string_view text, Place, std::vector<int32_t>& out) const {
  out.reserve(std::max(out.capacity(), out.size() + text.size() / 4));
  for (int64_t at = 0; at < static_cast<int64_t>(text.size());) {
    const CodePoint next = decode_utf8(text, at);
    const auto value = static_cast<size_t>(next.value);
    if (next.value >= 0 && value < char_ids_.size() && char_ids_[value] >= 0)
      out.push_back(char_ids_[value]);
    else
      encode_unknown(text.substr(static_cast<size_t>(at), static_cast<size_t>(next.length)), out);
    at += next.length;
  }
}

Json CharTokenizer::to_json() const {
  Json json = char_frame(byte_fallback());
  json["added_tokens"] = added_tokens_json(added_);
  Json vocabulary = Json::object();
  for (int32_t id = 0; id < vocabulary_.size(); ++id) {
    const std::string_view bytes = vocabulary_.bytes(id);
    if (bytes.empty()) continue;
    const bool is_byte = byte_fallback() && byte_ids_[static_cast<uint8_t>(bytes[0])] == id;
    vocabulary[is_byte ? byte_token_name(static_cast<uint8_t>(bytes[0])) : std::string(bytes)] = id;
  }
  json["model"]["vocab"] = std::move(vocabulary);
  return json;
}

std::unique_ptr<Tokenizer> make_char_tokenizer(std::string_view text,
                                               const CharTokenizerOptions& options) {
  return make_char_tokenizer([text](const auto& take) { take(text); }, options);
}

std::unique_ptr<Tokenizer> make_char_tokenizer(const TextSource& source,
                                               const CharTokenizerOptions& options) {
  std::vector<bool> seen(0x110000);
  source([&](std::string_view text) {
    for (int64_t at = 0; at < static_cast<int64_t>(text.size());) {
      const CodePoint next = decode_utf8(text, at);
      REQUIRE(next.value >= 0 || options.byte_fallback,
              "character tokenizer: the text has invalid UTF-8 at byte ", at,
              "; convert it to UTF-8 or use --byte-fallback");
      if (next.value >= 0) seen[static_cast<size_t>(next.value)] = true;
      at += next.length;
    }
  });
  Vocabulary vocabulary;
  int32_t id = 0;
  for (int32_t value = 0; value < static_cast<int32_t>(seen.size()); ++value)
    if (seen[static_cast<size_t>(value)]) vocabulary.add(id++, to_utf8(value));
  REQUIRE(id > 0 || options.byte_fallback,
          "character tokenizer: there is no text to take characters from");
  std::array<int32_t, 256> byte_ids;
  byte_ids.fill(-1);
  for (size_t byte = 0; options.byte_fallback && byte < 256; ++byte) {
    const char text_of_byte = static_cast<char>(byte);
    vocabulary.add(byte_ids[byte] = id++, {&text_of_byte, 1});
  }
  auto tokenizer = std::make_unique<CharTokenizer>(std::move(vocabulary), AddedTokens(), byte_ids);
  for (const std::string& special : options.special) tokenizer->add_special(special);
  return tokenizer;
}

}  // namespace malssi
