// What can be known of a world, and how it is said and asked. A relation gives each of its subjects
// (a person with all that belongs to them, or a place) one value; the reverse ones (who_job ...)
// ask the other way round, which has one answer because those values belong to one subject alone.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "data/world/world.h"

namespace malssi::world {

// clang-format off
enum class Relation {
  home, job, food, hobby, species, pet, thing, colour, friend_, deed, season, coat, toy,  // people
  sight, nature,                                                                          // places
  who_job, who_thing, who_pet, who_deed,  // reverse, people
  where_sight,                            // reverse, places
  count
};
// clang-format on
inline constexpr int64_t kRelations = static_cast<int64_t>(Relation::count);

bool about_places(Relation relation);
std::string_view relation_name(Relation relation);  // "home", "who_job", ...

// Patterns over the subject's slots.
struct Phrases {
  struct Rewrite {
    std::string_view from, to;
  };
  // How documents say it; none for reverse relations.
  std::vector<std::string_view> statements = {};
  std::vector<std::string_view> questions = {};  // asked in training
  std::vector<std::string_view> held_out = {};   // asked in evaluation only
  // Asked after something else about the same person; may be empty.
  std::string_view follow_up = {};
  // English: with he or she; Korean: plain style made polite. May be empty.
  Rewrite rewrite = {};
  std::string_view answer = {};             // the sentence that answers
  std::vector<std::string_view> also = {};  // other answers that are right
};
const Phrases& phrases(Relation relation, Language language);

// One thing that is true: a relation and its subject's index.
struct Fact {
  Relation relation;
  int64_t subject;
  bool operator==(const Fact&) const = default;
};
std::vector<Fact> facts(const World& world);  // all, reverse ones too, by relation and subject
const Slots& slots_of(const World& world, const Fact& fact);

// Patterns of `phrases` filled in for the fact.
std::string answer_of(const World& world, const Fact& fact, Language language);
// Every text that answers rightly, the sentence first.
std::vector<std::string> right_answers(const World& world, const Fact& fact, Language language);

// The phrase tables behind phrases().
const Phrases& english_phrases(Relation relation);
const Phrases& korean_phrases(Relation relation);

}  // namespace malssi::world
