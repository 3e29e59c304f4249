// Two-digit additions: as a plain answer, and worked digit by digit with the carry, each step short
// enough to be copied and looked up: "Ones: 7+8=15, write 5, carry 1. Tens: 4+3+1=8. Answer: 85".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "data/world/pattern.h"

namespace malssi::world {

struct Sum {
  int64_t a = 0, b = 0;  // 10 .. 99
  int64_t total() const { return a + b; }
  bool operator==(const Sum&) const = default;
};

// All 8,100 additions, split once and for all by the seed.
struct SumSplit {
  std::vector<Sum> train, held_out;
};
// Throws Error unless 0 <= held_out < 8100.
SumSplit split_sums(int64_t held_out, uint64_t seed);

enum class SumStyle { plain, steps };
// One of several ways of asking.
std::string ask_sum(const Sum& sum, SumStyle style, Language language, Rng& rng);
std::string answer_sum(const Sum& sum, SumStyle style, Language language);
// The steps alone, which a total is to follow.
std::string work_sum(const Sum& sum, Language language);

// plain: the reply holds no number but the total (and perhaps "a + b =" before it).
bool sum_is_right(const Sum& sum, std::string_view reply);
// steps: the reply works with two equations at least, each of them true, and ends with the total.
bool steps_are_right(const Sum& sum, std::string_view reply);

}  // namespace malssi::world
