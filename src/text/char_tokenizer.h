// One token for each character. A character that the vocabulary lacks becomes its bytes where there
// are byte tokens, and is an Error where there are none.
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "text/tokenizer.h"

namespace malssi {

class CharTokenizer : public Tokenizer {
 public:
  // Tokens of one character, and byte tokens (of which all 256 or none exist) by byte, -1 without.
  CharTokenizer(Vocabulary vocabulary, AddedTokens added, const std::array<int32_t, 256>& byte_ids);

  std::string kind() const override { return "characters"; }
  std::string pattern() const override { return ""; }
  Json to_json() const override;
  bool byte_fallback() const { return byte_ids_[0] >= 0; }
  int32_t byte_id(uint8_t byte) const { return byte_ids_[byte]; }  // -1 none

 protected:
  void encode_plain(std::string_view text, Place place, std::vector<int32_t>& out) const override;

 private:
  void encode_unknown(std::string_view bytes, std::vector<int32_t>& out) const;

  std::vector<int32_t> char_ids_;  // by character, -1 none
  std::array<int32_t, 256> byte_ids_;
};

}  // namespace malssi
