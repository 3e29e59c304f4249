// The model of a tokenizer: what becomes of one piece of text. Thread-safe; a call brings its memory.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "text/merges.h"

namespace malssi {

// Memory that one thread reuses from piece to piece.
struct ModelScratch {
  struct Step {  // the best way to a place: its last token
    double score = 0;
    int32_t from = -1, id = -1;
  };
  Merges::Scratch merges;
  std::vector<int32_t> ids;
  std::vector<Step> path;
};

class SubwordModel {
 public:
  virtual ~SubwordModel() = default;
  // Appends the ids of a piece (any bytes; the time grows no faster than n log n). Error: a
  // character that the vocabulary cannot express.
  virtual void encode(std::string_view piece, ModelScratch& scratch,
                      std::vector<int32_t>& out) const = 0;
};

}  // namespace malssi
