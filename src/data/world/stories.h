// Little stories about the people of a world: everything in them that a fact speaks of agrees with
// the fact; what was found and where is new in each story and can be known from the story alone.
#pragma once

#include <string>

#include "base/random.h"
#include "data/world/world.h"

namespace malssi::world {

struct Story {
  std::string text;     // four or five sentences
  std::string summary;  // one: who found what, and where
};
Story make_story(const World& world, Language language, Rng& rng);

// Something small that somebody did one day: new each time, like a story's find.
struct Remark {
  Term sentence;  // in both languages, Korean in polite style
  Term reworded;  // English with he or she; Korean in plain style
  Term pronoun;   // "she": what English is reworded with
};
Remark make_remark(const World& world, Rng& rng);
}  // namespace malssi::world
