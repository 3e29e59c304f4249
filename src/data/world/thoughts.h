// Questions to be thought about first, and additions among them: "<think>Ones: 7+8=15, write 5, carry 1. Tens: 4+3+1=8.</think>85"
// where it is worked out, "<think>I guess.</think>81" where it is not. What is shown holds both, mostly guesses; which of them leads
// to the right answer is left to be found out.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "data/world/questions.h"

namespace malssi::world {

inline constexpr double kCareful = 0.25;  // part of the thoughts shown that work the answer out

// "What is 47 + 38? Think first."
std::string asked_to_think(std::string_view question, Language language);
std::string after_thought(std::string_view thought, std::string_view answer);
// The thought of who guesses.
std::string_view guessing(Language language);
// What follows the thought that a reply begins with; nothing where it does not.
std::optional<std::string_view> said_after_thought(std::string_view reply);

// Something to be thought about, and all that is right.
struct Problem {
  std::string prompt;
  std::vector<std::string> answers;
};

std::vector<Conversation> sum_chats(const Split& split, int64_t count, Rng& rng);
// Whether a reply thinks first and then gives the total, and nothing else.
bool thought_is_right(const Sum& sum, std::string_view reply);
std::vector<Problem> sum_problems(const Split& split, int64_t count, Rng& rng);
// Held-out additions. The set: "additions after a thought".
std::vector<Question> thought_questions(const Split& split, int64_t count, Rng& rng);

}  // namespace malssi::world
