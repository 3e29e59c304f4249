// The tokenizer.json (without vocabulary) that says what SentencePiece and WordPiece vocabularies of
// other files mean.
#pragma once

#include <string>

#include "base/json.h"

namespace malssi {

struct SentencePieceFrame {
  std::string type = "BPE";  // or "Unigram"
  std::string unknown = {};  // the spelling of the unknown token, or empty
  int32_t unknown_id = -1;
  bool byte_fallback = false;
  bool space_before = true;          // a text starts as if a space stood before it
  bool remove_extra_spaces = false;  // at the ends, and all but one inside
  std::string charsmap = {};         // raw bytes, or empty
};
Json sentencepiece_frame(const SentencePieceFrame& options);

struct WordPieceFrame {
  std::string unknown;
  bool lower_case = true;
  int64_t max_characters = 100;
};
Json wordpiece_frame(const WordPieceFrame& options);

}  // namespace malssi
