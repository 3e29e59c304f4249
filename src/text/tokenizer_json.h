// The parts of a Hugging Face tokenizer.json that all our tokenizers share.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "text/added_tokens.h"
#include "text/vocabulary.h"

namespace malssi {

// A whole file without vocabulary, merges and added tokens: byte-level BPE with split patterns (names
// or expressions, applied one inside the other), and a character tokenizer.
Json byte_level_frame(const std::vector<std::string>& patterns);
Json char_frame(bool byte_fallback);
Json added_tokens_json(const AddedTokens& added);
// A post_processor that puts tokens (texts and ids) around a text; null for none.
Json surround_json(const Vocabulary& vocabulary, const std::vector<int32_t>& before,
                   const std::vector<int32_t>& after);

// Each throws Error when the file asks for something that is not supported, naming it and what is.
AddedTokens read_added_tokens(const Json& json, std::string_view where);
// What a post_processor puts before and after a text: texts of special tokens.
struct Surround {
  std::vector<std::string> before, after;
};
Surround read_post_processor(const Json& json, std::string_view where);

}  // namespace malssi
