// Conversations of several turns, in which a later question leans on an earlier one ("And what is
// her job?", "And Junho?"), and small talk. All answers are true in the world.
#pragma once

#include <vector>

#include "base/random.h"
#include "data/sft.h"
#include "data/world/split.h"

namespace malssi::world {

// Greeting, questions with follow-ups, thanks.
Conversation make_dialogue(const World& world, const Split& split, Language language, Rng& rng);

// Two questions, the second without its answer: {user, assistant, user}, and what it asks for.
struct FollowUp {
  Conversation messages;
  Fact asked;
};
FollowUp make_follow_up(const World& world, const Split& split, Language language, Rng& rng);

// "Who are you?", "Thank you!", and questions about people whom nobody in the world knows.
std::vector<Conversation> small_talk(Language language);

}  // namespace malssi::world
