#include "data/world/split.h"

#include <algorithm>

#include "base/random.h"

namespace malssi::world {
namespace {

constexpr double kUnasked = 0.125, kUnworded = 0.15;

// Relations that no question of another relation gives away.
bool stands_alone(Relation relation) {
  return relation == Relation::food || relation == Relation::hobby ||
         relation == Relation::friend_ || relation == Relation::coat || relation == Relation::toy;
}

}  // namespace

Split split_world(const World& world, int64_t held_out_sums) {
  Split split;
  Rng rng(world.options.seed, 3);
  for (const Fact& fact : facts(world)) {
    const bool unasked = rng.chance(kUnasked) && stands_alone(fact.relation);
    (unasked ? split.unasked : split.asked).push_back(fact);
    if (phrases(fact.relation, Language::english).statements.empty()) continue;
    (rng.chance(kUnworded) || unasked ? split.unworded : split.reworded).push_back(fact);
  }
  split.sums = split_sums(held_out_sums, world.options.seed);
  return split;
}

}  // namespace malssi::world
