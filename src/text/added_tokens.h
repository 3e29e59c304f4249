// Added tokens: pieces of text that have an id of their own and never go through the splitter. The
// special ones
// ("<|endoftext|>") are read from text only on request, the others always (Hugging Face's rules).
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "text/vocabulary.h"

namespace malssi {

struct AddedToken {
  int32_t id = -1;
  std::string text;
  bool special = true;
  bool strip_left = false;   // swallows white space before it
  bool strip_right = false;  // and after it
  bool single_word = false;  // stands for itself only between characters that are no letters
  bool normalized = false;   // kept for the file only
};

class AddedTokens {
 public:
  struct Match {
    int64_t begin = 0, end = 0;  // bytes of the text, stripped white space included
    int32_t id = -1;             // -1: none found
  };

  void add(AddedToken token);  // replaces one with the same id and text
  const std::vector<AddedToken>& tokens() const { return tokens_; }
  bool is_special(int32_t id) const;
  const AddedToken* find(std::string_view text) const;
  const AddedToken* find_id(int32_t id) const;
  // Whether next() could find anything.
  bool any(bool parse_special) const { return parse_special ? !tokens_.empty() : plain_; }
  // The leftmost added token at or after `from`, the longest of those; special ones only when asked
  // for.
  Match next(std::string_view text, int64_t from, bool parse_special) const;
  // The same, past those that are not special.
  Match next_special(std::string_view text, int64_t from) const;

 private:
  const AddedToken* match_at(std::string_view text, int64_t at, bool parse_special) const;

  std::vector<AddedToken> tokens_;  // as added
  bool plain_ = false;              // one that is not special is among them
  std::vector<int32_t> index_;      // by id: place in tokens_, or -1
  Vocabulary places_;               // place in tokens_ by text
  // The lengths of the tokens that start with a byte, each once, the longest first.
  std::array<std::vector<int64_t>, 256> lengths_;
};

}  // namespace malssi
