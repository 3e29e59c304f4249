// BPE on characters, as SentencePiece and many tokenizer.json files have it (Sennrich, Haddow, Birch
// 2016): a piece starts as its characters, and the neighbours of the best merge are joined until none
// is left.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "text/subword_model.h"
#include "text/unknown.h"

namespace malssi {

// SentencePiece lists no merges: any two neighbours may join whose text is a piece, the highest score
// first, the leftmost of equals. These are the rules that say the same. A token that may not come
// about so (a control or byte token) has an empty text here.
Merges merges_of_scores(const std::vector<std::string>& pieces, const std::vector<float>& scores);

class SymbolBpe : public SubwordModel {
 public:
  struct Options {
    Unknown::Options unknown;
    bool ignore_merges = false;  // a piece that is a token as a whole is never merged
  };
  // `plain` has the tokens that text may become, by spelling; `spellings` has all.
  SymbolBpe(Vocabulary plain, const Vocabulary& spellings, Merges merges, Options options);
  void encode(std::string_view piece, ModelScratch& scratch,
              std::vector<int32_t>& out) const override;

 private:
  Vocabulary plain_;
  Merges merges_;
  Unknown unknown_;
  bool ignore_merges_;
};

}  // namespace malssi
