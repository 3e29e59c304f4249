// Questions about facts: in a wording of training, and in wordings that training never uses.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/random.h"
#include "data/world/split.h"

namespace malssi::world {

struct Asked {
  Fact fact;
  Language language = Language::english;
  std::string message;
};
// About a random fact of those that training asks for.
Asked ask_trained(const World& world, const Split& split, Language language, Rng& rng);
// At most so many, all different, about the same facts.
std::vector<Asked> ask_held_out(const World& world, const Split& split, int64_t count, Rng& rng);

}  // namespace malssi::world
