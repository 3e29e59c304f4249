// The parts of a Hugging Face tokenizer.json that all our tokenizers share.
#pragma once

#include <string_view>

#include "base/json.h"
#include "text/added_tokens.h"

namespace malssi {

// A whole file without vocabulary, merges and added tokens: byte-level BPE with a split pattern (a
// name, an expression, or
// "" for none), and a character tokenizer.
Json byte_level_frame(std::string_view pattern);
Json char_frame(bool byte_fallback);
Json added_tokens_json(const AddedTokens& added);

// A pre_tokenizer's split patterns in order (names or expressions).
struct PreTokenizer {
  std::vector<std::string> patterns;
  bool byte_level = false;
  bool prefix_space = false;
};
// Each throws Error when the file asks for something that is not supported, naming it and what is.
PreTokenizer read_pre_tokenizer(const Json& json, std::string_view where);
AddedTokens read_added_tokens(const Json& json, std::string_view where);
// What a post_processor puts before and after a text: texts of special tokens.
struct Surround {
  std::vector<std::string> before, after;
};
Surround read_post_processor(const Json& json, std::string_view where);

}  // namespace malssi
