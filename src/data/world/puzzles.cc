#include "data/world/puzzles.h"

#include <algorithm>
#include <array>

namespace malssi::world {
namespace {

constexpr std::array kSecond = {Relation::home,    Relation::food, Relation::hobby,
                                Relation::species, Relation::pet,  Relation::thing};
constexpr int64_t kHeldOutOf = 4;  // one of so many puzzles is kept back

bool knows(const Split& split, const Fact& fact) {
  return std::find(split.asked.begin(), split.asked.end(), fact) != split.asked.end();
}

// The person whom the first fact leads to.
int64_t reached(const World& world, const Fact& first) {
  return first.relation == Relation::friend_
             ? world.people.at(static_cast<size_t>(first.subject)).best_friend
             : first.subject;
}

// How a question calls that person.
Term called(const World& world, const Fact& first) {
  const Slots& slots = slots_of(world, first);
  if (first.relation == Relation::friend_)
    return {slots.get("x").en + "'s best friend", slots.get("x").ko + "의 가장 친한 친구"};
  return {"the " + slots.get("job").en, slots.get("job").ko};
}

std::string ask(const World& world, const Puzzle& puzzle, Language language, Rng& rng) {
  Slots slots;
  for (const std::string_view name : {"she", "her"})
    slots.set(name, slots_of(world, puzzle.second).get(name));
  // The name of an animal's kind would give away the person.
  slots.set("species", {"pet", "동물"});
  slots.set("x", called(world, puzzle.first));
  const std::string_view pattern = rng.pick(phrases(puzzle.second.relation, language).questions);
  return asked_to_think(fill(pattern, slots, language), language);
}

std::string look_up(const World& world, const Puzzle& puzzle, Language language) {
  return after_thought(answer_of(world, puzzle.first, language),
                       answer_of(world, puzzle.second, language));
}

std::string guess(const World& world, const Puzzle& puzzle, Language language, Rng& rng) {
  const Fact anybodys{puzzle.second.relation, rng.below(std::ssize(world.people))};
  return after_thought(guessing(language), answer_of(world, anybodys, language));
}

}  // namespace

PuzzleSplit split_puzzles(const World& world, const Split& split) {
  std::vector<Puzzle> all;
  for (int64_t person = 0; person < std::ssize(world.people); ++person)
    for (const Relation way : {Relation::friend_, Relation::who_job})
      for (const Relation relation : kSecond) {
        const Fact first{way, person}, second{relation, reached(world, first)};
        if (knows(split, first) && knows(split, second)) all.push_back({first, second});
      }
  Rng rng(world.options.seed, 4);
  rng.shuffle(std::span<Puzzle>(all));
  const auto held_out = std::ssize(all) / kHeldOutOf;
  return {.train = {all.begin() + held_out, all.end()},
          .held_out = {all.begin(), all.begin() + held_out}};
}

std::vector<Conversation> puzzle_chats(const World& world, const std::vector<Puzzle>& puzzles,
                                       int64_t count, Rng& rng) {
  std::vector<Conversation> chats;
  for (int64_t i = 0; i < count && !puzzles.empty(); ++i) {
    const Puzzle& puzzle = rng.pick(puzzles);
    const Language language = rng.pick(kLanguages);
    std::string message = ask(world, puzzle, language, rng);
    chats.push_back({{"user", std::move(message)},
                     {"assistant", rng.chance(kCareful) ? look_up(world, puzzle, language)
                                                        : guess(world, puzzle, language, rng)}});
  }
  return chats;
}

std::vector<Problem> puzzle_problems(const World& world, const std::vector<Puzzle>& puzzles,
                                     int64_t count, Rng& rng) {
  std::vector<Problem> problems;
  for (int64_t i = 0; i < count && !puzzles.empty(); ++i) {
    const Puzzle& puzzle = rng.pick(puzzles);
    const Language language = rng.pick(kLanguages);
    problems.push_back({.prompt = ask(world, puzzle, language, rng),
                        .answers = right_answers(world, puzzle.second, language)});
  }
  return problems;
}

std::vector<Question> puzzle_questions(const World& world, const std::vector<Puzzle>& puzzles,
                                       int64_t count, Rng& rng) {
  std::vector<Question> questions;
  const int64_t most = std::min<int64_t>(count, 2 * std::ssize(puzzles));
  for (int64_t i = 0; i < most; ++i) {
    const Puzzle& puzzle = puzzles[static_cast<size_t>(i / 2)];
    const Language language = kLanguages[static_cast<size_t>(i % 2)];
    questions.push_back({.set = "puzzles after a thought",
                         .language = language,
                         .messages = {{"user", ask(world, puzzle, language, rng)}},
                         .check = Check::puzzle,
                         .answers = right_answers(world, puzzle.second, language)});
  }
  return questions;
}

}  // namespace malssi::world
