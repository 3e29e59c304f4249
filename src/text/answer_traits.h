// What can be seen in an answer without knowing whether it is right: signs of behaviour that training may have brought along.
// Rules, not models: each can be wrong about one answer, and is meant to be counted over many.
#pragma once

#include <string_view>

namespace malssi {

struct AnswerTraits {
  bool is_empty = false;           // nothing but white space
  bool is_refusal = false;         // begins by declining, in English or Korean
  bool is_loop = false;            // ends by saying one thing over and over
  bool switches_language = false;  // most letters are of another script than the prompt's
  double words = 0;
  // distinct-2 (Li et al. 2016, section 5.1): different pairs of neighbouring words / all pairs; below 0: fewer than two pairs.
  double distinct = -1;
};

// Both UTF-8; broken bytes count as characters.
AnswerTraits answer_traits(std::string_view prompt, std::string_view answer);

}  // namespace malssi
