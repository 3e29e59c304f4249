// WordPiece (Wu et al. 2016, as BERT applies it): the longest token that a word starts with, then the
// longest "##" token that goes on, and so forth; a word that cannot be covered is unknown as a whole.
#pragma once

#include <string>
#include <vector>

#include "text/byte_trie.h"
#include "text/subword_model.h"

namespace malssi {

class WordPiece : public SubwordModel {
 public:
  struct Options {
    int32_t unknown_id = -1;
    std::string prefix = "##";     // of tokens inside a word
    int64_t max_characters = 100;  // of a word; a longer one is unknown
  };
  // Tokens by id; one that text may not become has an empty text here.
  WordPiece(const std::vector<std::string>& pieces, Options options);
  void encode(std::string_view word, ModelScratch& scratch,
              std::vector<int32_t>& out) const override;

 private:
  ByteTrie trie_;
  Options options_;
  int32_t inside_;  // where the trie's "##" tokens begin, -1 none
};

}  // namespace malssi
