// A world and what can be asked about it.
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "base/error.h"
#include "data/world/names.h"
#include "data/world/relations.h"

namespace malssi::world {
namespace {

constexpr WorldOptions kLarge = {.seed = 5, .people = 28, .places = 10};

TEST(World, IsDecidedByItsSeed) {
  const World a = make_world(kLarge), b = make_world(kLarge);
  const World other = make_world({.seed = 6, .people = 28, .places = 10});
  int64_t different = 0;
  for (const Fact& fact : facts(a)) {
    EXPECT_EQ(answer_of(a, fact, Language::english), answer_of(b, fact, Language::english));
    different += answer_of(a, fact, Language::english) != answer_of(other, fact, Language::english);
  }
  EXPECT_GT(different, std::ssize(facts(a)) / 2);
}

TEST(World, RefusesSizesItHasNoNamesFor) {
  EXPECT_THROW(make_world({.seed = 1, .people = 1, .places = 4}), Error);
  EXPECT_THROW(make_world({.seed = 1, .people = 29, .places = 4}), Error);
  EXPECT_THROW(make_world({.seed = 1, .people = 8, .places = 11}), Error);
  EXPECT_THROW(make_world({.seed = 1, .people = 8, .places = 1}), Error);
}

TEST(World, NobodyIsTheirOwnBestFriend) {
  for (uint64_t seed = 1; seed < 20; ++seed) {
    const World world = make_world({.seed = seed, .people = 9, .places = 3});
    for (int64_t i = 0; i < std::ssize(world.people); ++i)
      EXPECT_NE(world.people[static_cast<size_t>(i)].best_friend, i);
  }
}

TEST(World, EverybodyLivesSomewhere) {
  const World world = make_world(kLarge);
  size_t people = 0;
  for (int64_t place = 0; place < std::ssize(world.places); ++place)
    people += world.people_of(place).size();
  EXPECT_EQ(people, world.people.size());
}

TEST(World, NoNameServesTwoKindsOfThing) {
  std::map<std::string, int> seen;
  const auto count = [&](const std::vector<Term>& terms) {
    for (const Term& term : terms) {
      EXPECT_EQ(++seen[term.en], 1) << term.en;
      EXPECT_EQ(++seen[term.ko], 1) << term.ko;
    }
  };
  for (const auto* terms : {&strangers(), &place_names(), &jobs(), &foods(), &hobbies(), &species(),
                            &pet_names(), &things(), &colours(), &coats(), &toys(), &seasons(),
                            &sights(), &natures(), &finds(), &spots(), &times()})
    count(*terms);
  std::vector<Term> people, deeds_done;
  for (const PersonName& person : person_names()) people.push_back(person.name);
  for (const Deed& deed : deeds()) deeds_done.push_back({deed.past, deed.stem_ko});
  count(people);
  count(deeds_done);
}

// Every question, in training and held-out wordings, in both languages.
template <class Use>
void for_each_question(const World& world, Use use) {
  for (const Fact& fact : facts(world)) {
    for (const Language language : kLanguages) {
      const Phrases& known = phrases(fact.relation, language);
      for (const auto* patterns : {&known.questions, &known.held_out})
        for (const std::string_view pattern : *patterns)
          use(fact, language, fill(pattern, slots_of(world, fact), language));
    }
  }
}

TEST(Questions, HaveExactlyOneRightAnswer) {
  for (const uint64_t seed : {1u, 2u, 3u}) {
    const World world = make_world({.seed = seed, .people = 28, .places = 10});
    std::map<std::string, std::string> answers;
    for_each_question(world, [&](const Fact& fact, Language language, const std::string& text) {
      const std::string answer = answer_of(world, fact, language);
      const auto [known, is_new] = answers.emplace(text, answer);
      EXPECT_EQ(known->second, answer) << text;
      EXPECT_TRUE(is_new) << "asked twice: " << text;
    });
    EXPECT_GT(answers.size(), 8000u);
  }
}

TEST(Questions, OfAWordingDifferInTheirSubjectsOnly) {
  for (int64_t i = 0; i < kRelations; ++i) {
    for (const Language language : kLanguages) {
      const Phrases& known = phrases(static_cast<Relation>(i), language);
      EXPECT_GE(known.questions.size(), 8u) << relation_name(static_cast<Relation>(i));
      EXPECT_EQ(known.held_out.size(), 3u) << relation_name(static_cast<Relation>(i));
      std::set<std::string_view> wordings(known.questions.begin(), known.questions.end());
      wordings.insert(known.held_out.begin(), known.held_out.end());
      EXPECT_EQ(wordings.size(), known.questions.size() + known.held_out.size());
    }
  }
}

TEST(Answers, AreAllDifferentTextsOfTheFactAlone) {
  const World world = make_world(kLarge);
  std::map<std::string, Fact> sentences;
  for (const Fact& fact : facts(world)) {
    for (const Language language : kLanguages) {
      const std::vector<std::string> right = right_answers(world, fact, language);
      EXPECT_EQ(right.front(), answer_of(world, fact, language));
      EXPECT_EQ(std::set<std::string>(right.begin(), right.end()).size(), right.size())
          << right.front();
    }
  }
}

TEST(Statements, FillInForEveryFactInBothLanguages) {
  const World world = make_world(kLarge);
  for (const Fact& fact : facts(world)) {
    for (const Language language : kLanguages) {
      const Phrases& known = phrases(fact.relation, language);
      for (const std::string_view pattern : known.statements) {
        const std::string text = fill(pattern, slots_of(world, fact), language);
        EXPECT_EQ(text.find_first_of("{}:"), std::string::npos) << text;
        EXPECT_EQ(text.back(), '.') << text;
      }
      for (const std::string_view pattern : {known.follow_up, known.rewrite.from, known.rewrite.to})
        EXPECT_EQ(fill(pattern, slots_of(world, fact), language).find('{'), std::string::npos);
    }
  }
}

TEST(Relations, StateTheSameThingsInBothLanguages) {
  for (int64_t i = 0; i < kRelations; ++i) {
    const Phrases& en = english_phrases(static_cast<Relation>(i));
    const Phrases& ko = korean_phrases(static_cast<Relation>(i));
    EXPECT_EQ(en.statements.empty(), ko.statements.empty());
    EXPECT_EQ(en.follow_up.empty(), ko.follow_up.empty());
    EXPECT_EQ(en.rewrite.from.empty(), ko.rewrite.from.empty());
  }
}

}  // namespace
}  // namespace malssi::world
