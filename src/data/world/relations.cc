#include "data/world/relations.h"

#include <array>

namespace malssi::world {
namespace {

constexpr std::array<std::string_view, kRelations> kNames = {
    "home",   "job",     "food",      "hobby",   "species",  "pet",        "thing",
    "colour", "friend",  "deed",      "season",  "coat",     "toy",        "sight",
    "nature", "who_job", "who_thing", "who_pet", "who_deed", "where_sight"};

}  // namespace

bool about_places(Relation relation) {
  return relation == Relation::sight || relation == Relation::nature ||
         relation == Relation::where_sight;
}

std::string_view relation_name(Relation relation) { return kNames[static_cast<size_t>(relation)]; }

const Phrases& phrases(Relation relation, Language language) {
  return language == Language::english ? english_phrases(relation) : korean_phrases(relation);
}

std::vector<Fact> facts(const World& world) {
  std::vector<Fact> all;
  for (int64_t i = 0; i < kRelations; ++i) {
    const Relation relation = static_cast<Relation>(i);
    const int64_t subjects =
        about_places(relation) ? std::ssize(world.places) : std::ssize(world.people);
    for (int64_t subject = 0; subject < subjects; ++subject) all.push_back({relation, subject});
  }
  return all;
}

const Slots& slots_of(const World& world, const Fact& fact) {
  const size_t subject = static_cast<size_t>(fact.subject);
  return about_places(fact.relation) ? world.places.at(subject).slots
                                     : world.people.at(subject).slots;
}

std::string answer_of(const World& world, const Fact& fact, Language language) {
  return fill(phrases(fact.relation, language).answer, slots_of(world, fact), language);
}

std::vector<std::string> right_answers(const World& world, const Fact& fact, Language language) {
  std::vector<std::string> answers = {answer_of(world, fact, language)};
  for (const std::string_view pattern : phrases(fact.relation, language).also)
    answers.push_back(fill(pattern, slots_of(world, fact), language));
  return answers;
}

}  // namespace malssi::world
