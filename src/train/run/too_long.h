// What is said, in the same words for every kind of training, where examples are longer than the context: none is cut or left out
// without being counted.
#pragma once

#include <cstdint>
#include <string>

#include "base/console.h"

namespace malssi {

struct TooLong {
  std::string records;  // "conversations"
  int64_t all = 0;      // of them, how many there were
  int64_t cut = 0;
  int64_t cut_answers = 0;  // of those, in the middle of an answer
  int64_t left_out = 0;
  int64_t most = 0;      // tokens that one may have
  std::string settings;  // what decides: "sft.context, sft.too_long"
};

// "conversations: 3 of 40 cut (1 in the middle of an answer), 2 of 40 left out: longer than 64 tokens (sft.context, sft.too_long)"
std::string describe(const TooLong& found);
// Warns so where there was one.
void tell_too_long(const TooLong& found, Console& console);

}  // namespace malssi
