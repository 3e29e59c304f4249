// n-grams of a text, hashed into the rows of a table (Joulin et al. 2017: Bag of Tricks for Efficient Text Classification).
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "models/classifier.h"

namespace malssi {

// The buckets of a text's n-grams, each once, ascending. All in small letters; words: runs of letters, digits and marks, and every
// other character by itself, 1 to `longest` of them; characters: 2 to `longest`, white space as one space, which also begins and
// ends the text. Bytes that are no UTF-8 count as U+FFFD. None of NgramKind::none.
std::vector<int64_t> ngrams_of(std::string_view text, const NgramTable& table);

}  // namespace malssi
