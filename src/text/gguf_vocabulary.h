// A tokenizer as GGUF files hold it (the tokenizer.ggml.* keys), in plain types: io reads and writes the file, text knows what
// it means.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "text/tokenizer.h"

namespace malssi {

struct GgufVocabulary {
  std::string
      model;  // "llama" (SentencePiece BPE), "gpt2" (byte-level BPE), "bert" (WordPiece), "t5" (Unigram)
  std::string pre;  // the name of the splitting pattern: "default", "llama-bpe", "qwen2", ...
  std::vector<std::string> tokens;  // by id
  std::vector<float> scores;        // by id, or empty
  std::vector<int32_t>
      types;  // by id, or empty: 1 normal, 2 unknown, 3 control, 4 user-defined, 5 unused, 6 byte
  std::vector<std::string> merges;  // "left right", best first
  int32_t bos_id = -1, eos_id = -1, unk_id = -1, sep_id = -1, pad_id = -1, cls_id = -1,
          mask_id = -1;
  std::vector<int32_t> eog_ids;  // further tokens that end an answer (eot, eom)
  std::optional<bool> add_bos, add_eos, add_sep, add_space_prefix, remove_extra_whitespaces;
  std::string precompiled_charsmap;  // of a SentencePiece normaliser; raw bytes, often empty
  std::string chat_template;         // Jinja, or empty
};

// The tokenizer that llama.cpp would build from these keys, but for two things: text never becomes a
// control token by merging its characters, and for "bert" accents go as BERT itself drops them, which
// takes Hangul syllables apart. Error: what is wrong with the keys, in one line; `where` names the
// file.
std::unique_ptr<Tokenizer> tokenizer_from_gguf(const GgufVocabulary& vocabulary,
                                               std::string_view where);
// The keys for a tokenizer, for writing, so that llama.cpp tokenizes alike (in a SentencePiece or
// character vocabulary a literal U+2581 becomes a space there). chat_template stays empty. Error:
// what GGUF cannot hold.
GgufVocabulary gguf_vocabulary(const Tokenizer& tokenizer);

}  // namespace malssi
