// The Unigram model (Kudo 2018): of all ways to cut a piece into tokens the one with the highest sum
// of scores (log probabilities), found by dynamic programming; of equals the one found first.
#pragma once

#include <string>
#include <vector>

#include "text/byte_trie.h"
#include "text/subword_model.h"
#include "text/unknown.h"

namespace malssi {

class Unigram : public SubwordModel {
 public:
  struct Options {
    Unknown::Options unknown;
  };
  // Tokens and scores by id; a token that text may not become has an empty text here. Error: a token
  // of more than a thousand bytes, a score that is no number.
  Unigram(const std::vector<std::string>& pieces, const std::vector<double>& scores,
          const Vocabulary& spellings, const Options& options);
  void encode(std::string_view piece, ModelScratch& scratch,
              std::vector<int32_t>& out) const override;

 private:
  ByteTrie trie_;
  std::vector<double> scores_;
  double unknown_score_;
  Unknown unknown_;
};

}  // namespace malssi
