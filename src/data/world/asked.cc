#include "data/world/asked.h"

#include <algorithm>
#include <span>

namespace malssi::world {

Asked ask_trained(const World& world, const Split& split, Language language, Rng& rng) {
  const Fact& fact = rng.pick(split.asked);
  const std::string_view pattern = rng.pick(phrases(fact.relation, language).questions);
  return {fact, language, fill(pattern, slots_of(world, fact), language)};
}

std::vector<Asked> ask_held_out(const World& world, const Split& split, int64_t count, Rng& rng) {
  std::vector<Asked> all;
  for (const Fact& fact : split.asked)
    for (const Language language : kLanguages)
      for (const std::string_view pattern : phrases(fact.relation, language).held_out)
        all.push_back({fact, language, fill(pattern, slots_of(world, fact), language)});
  rng.shuffle(std::span<Asked>(all));
  all.resize(std::min(all.size(), static_cast<size_t>(count)));
  return all;
}

}  // namespace malssi::world
