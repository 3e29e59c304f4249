// What training must not see, so that evaluation measures something. Held-out phrasings are marked
// in the phrase tables; this decides about facts and additions.
#pragma once

#include <cstdint>

#include "data/world/relations.h"
#include "data/world/sums.h"

namespace malssi::world {

struct Split {
  std::vector<Fact> asked;     // training chats ask for these; evaluation asks in other words
  std::vector<Fact> unasked;   // training chats never ask for these; texts and stories state them
  std::vector<Fact> reworded;  // training chats translate and rewrite sentences that state these
  std::vector<Fact> unworded;  // never translated or rewritten in training chats
  SumSplit sums;
};
Split split_world(const World& world, int64_t held_out_sums);

}  // namespace malssi::world
