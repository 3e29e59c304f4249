#include "data/world/documents.h"

#include <algorithm>

#include "base/error.h"
#include "data/world/stories.h"

namespace malssi::world {
namespace {

void append(std::string& text, std::string_view separator, std::string_view sentence) {
  if (!text.empty()) text += separator;
  text += sentence;
}

std::string state(const World& world, const Fact& fact, Language language, Rng& rng) {
  return fill(rng.pick(phrases(fact.relation, language).statements), slots_of(world, fact),
              language);
}

bool is_stated(Relation relation) {
  return !phrases(relation, Language::english).statements.empty();
}

// Some facts about one person or place, each in a random wording, in random order.
std::string portrait(const World& world, Language language, Rng& rng) {
  const bool of_place = rng.chance(0.15);
  const int64_t subject = rng.below(of_place ? std::ssize(world.places) : std::ssize(world.people));
  std::vector<Fact> known;
  for (int64_t i = 0; i < kRelations; ++i) {
    const Relation relation = static_cast<Relation>(i);
    if (is_stated(relation) && about_places(relation) == of_place)
      known.push_back({relation, subject});
  }
  if (of_place)
    for (const int64_t person : world.people_of(subject)) known.push_back({Relation::home, person});
  rng.shuffle(std::span<Fact>(known));
  const size_t most = static_cast<size_t>(5 + rng.below(4));
  if (known.size() > most) known.resize(most);
  std::string text;
  for (const Fact& fact : known) append(text, " ", state(world, fact, language, rng));
  return text;
}

// One relation of several people or places.
std::string list(const World& world, Language language, Rng& rng) {
  Relation relation;
  do relation = static_cast<Relation>(rng.below(kRelations));
  while (!is_stated(relation));
  const int64_t subjects =
      about_places(relation) ? std::ssize(world.places) : std::ssize(world.people);
  std::string text;
  for (int64_t i = 0; i < 6; ++i)
    append(text, "\n", state(world, {relation, rng.below(subjects)}, language, rng));
  return text;
}

// The same facts in both languages, sentence by sentence.
std::string side_by_side(const World& world, Rng& rng) {
  const std::vector<Fact> all = facts(world);
  const Language first = rng.pick(kLanguages);
  const Language second = first == Language::english ? Language::korean : Language::english;
  std::string text;
  for (int64_t lines = 0; lines < 3;) {
    const Fact& fact = rng.pick(all);
    if (!is_stated(fact.relation)) continue;
    append(text, "\n", answer_of(world, fact, first));
    append(text, "\n", answer_of(world, fact, second));
    ++lines;
  }
  const Remark remark = make_remark(world, rng);
  append(text, "\n", remark.sentence.in(first));
  append(text, "\n", remark.sentence.in(second));
  return text;
}

// A story, and at times what happened in it once more.
std::string story(const World& world, Language language, Rng& rng) {
  const Story told = make_story(world, language, rng);
  return rng.chance(0.5) ? told.text : told.text + "\n" + told.summary;
}

std::string additions(const Split& split, Language language, Rng& rng) {
  std::string text;
  const SumStyle style = rng.chance(0.3) ? SumStyle::plain : SumStyle::steps;
  const int64_t lines = style == SumStyle::plain ? 6 : 2;
  for (int64_t i = 0; i < lines; ++i) {
    const Sum& sum = rng.pick(split.sums.train);
    const std::string_view separator = style == SumStyle::plain ? " = " : ". ";
    append(text, "\n", concat(sum.a, " + ", sum.b, separator, answer_sum(sum, style, language)));
  }
  return text;
}

}  // namespace

std::vector<std::string> make_documents(const World& world, const Split& split, int64_t count,
                                        Rng& rng) {
  std::vector<std::string> documents;
  while (std::ssize(documents) < count) {
    const Language language = rng.pick(kLanguages);
    const double kind = rng.uniform();
    if (kind < 0.42)
      documents.push_back(portrait(world, language, rng));
    else if (kind < 0.54)
      documents.push_back(list(world, language, rng));
    else if (kind < 0.68)
      documents.push_back(story(world, language, rng));
    else if (kind < 0.82)
      documents.push_back(side_by_side(world, rng));
    else
      documents.push_back(additions(split, language, rng));
  }
  return documents;
}

}  // namespace malssi::world
