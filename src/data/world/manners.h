// The same answer in several manners: politely and to the point, rudely, and with much talk about it. Which of two answers is
// the better one is decided by rule: right, polite and concise before everything else.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "data/world/questions.h"

namespace malssi::world {

enum class Manner { polite, rude, rambling };
std::string in_manner(Manner manner, std::string_view answer, Language language);

// Answers to questions about facts as they come along: all true, most of them not polite.
std::vector<Conversation> mannered_chats(const World& world, const Split& split, int64_t count,
                                         Rng& rng);

// A right and polite answer before a rude, a rambling or a wrong one.
struct Choice {
  std::string prompt, chosen, rejected;
};
std::vector<Choice> make_choices(const World& world, const Split& split, int64_t count, Rng& rng);

// In held-out wordings; right is what is true and polite and says nothing else. The set: "courtesy".
std::vector<Question> courtesy_questions(const World& world, const Split& split, int64_t count,
                                         Rng& rng);

}  // namespace malssi::world
