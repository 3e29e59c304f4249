// Additions after a thought: "<think>Ones: 7+8=15, write 5, carry 1. Tens: 4+3+1=8.</think>85" where it is worked out,
// "<think>I guess.</think>81" where it is not. What is shown holds both, mostly guesses; which of them leads to the right total
// is left to be found out.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "data/world/questions.h"

namespace malssi::world {

std::vector<Conversation> thoughtful_chats(const Split& split, int64_t count, Rng& rng);

// Whether a reply thinks first and then gives the total, and nothing else.
bool thought_is_right(const Sum& sum, std::string_view reply);

// Additions to be thought about, and their totals.
struct SumPrompt {
  std::string prompt;
  int64_t total = 0;
};
std::vector<SumPrompt> sum_prompts(const Split& split, int64_t count, Rng& rng);
// Held-out additions. The set: "additions after a thought".
std::vector<Question> thought_questions(const Split& split, int64_t count, Rng& rng);

}  // namespace malssi::world
