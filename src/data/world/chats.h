// Chats to tune on: every kind of thing the model shall do, in the training wordings only.
#pragma once

#include <cstdint>
#include <vector>

#include "base/random.h"
#include "data/sft.h"
#include "data/world/split.h"

namespace malssi::world {

// How many of each.
struct ChatCounts {
  int64_t wordings = 6;      // of each question about each fact, in each language
  int64_t sums = 3000;       // answered plainly, and as many with steps
  int64_t translations = 2;  // of each fact, in each direction; rewritings likewise
  int64_t remarks = 400;     // translated, and as many rewritten, half in each language
  int64_t descriptions = 2;  // of each person, each language; lists likewise
  int64_t summaries = 400;   // half in each language
  int64_t dialogues = 600;   // likewise
  int64_t small_talk = 2;    // repetitions
};

// Shuffled.
std::vector<Conversation> make_chats(const World& world, const Split& split,
                                     const ChatCounts& counts, Rng& rng);

}  // namespace malssi::world
