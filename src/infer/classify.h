// What a classifier says about texts.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/classifier.h"
#include "text/tokenizer.h"

namespace malssi {

// A text as a classifier reads it: its ids, cut to `context` (an encoder's text keeps its end token), whether they were cut, and the
// buckets of the whole text's n-grams where the model scores them.
struct ClassifierText {
  std::vector<int32_t> ids;
  bool is_cut = false;
  std::vector<int64_t> ngrams = {};
};
ClassifierText classifier_text(const Model& model, const Tokenizer& tokenizer,
                               std::string_view text, int64_t context);

// Of each text the scores of its labels in f32, [texts][labels]: before any softmax. Ids are not empty.
std::vector<std::vector<float>> classify(Model& model, const std::vector<ClassifierText>& texts,
                                         const AdapterMix& adapters = {});

// softmax(scores) in double precision.
std::vector<double> probabilities(const std::vector<float>& scores);

}  // namespace malssi
