// World puzzles: questions that no single fact answers. "What is the favourite food of Mina's best friend?" needs two:
// "<think>Mina's best friend is Juno.</think>Juno's favourite food is bread." where the first is looked up,
// "<think>I guess.</think>Ara's favourite food is corn." where it is not. As with additions (thoughts.h), what is shown is mostly
// guesses.
#pragma once

#include <cstdint>
#include <vector>

#include "base/random.h"
#include "data/world/questions.h"
#include "data/world/thoughts.h"

namespace malssi::world {

// The first fact leads from what is said to a person ("Mina's best friend", "the baker"), the second is about that person.
struct Puzzle {
  Fact first, second;
};
// Of facts that training chats ask for; each puzzle is either shown or kept back, in both languages.
struct PuzzleSplit {
  std::vector<Puzzle> train, held_out;
};
PuzzleSplit split_puzzles(const World& world, const Split& split);

std::vector<Conversation> puzzle_chats(const World& world, const std::vector<Puzzle>& puzzles,
                                       int64_t count, Rng& rng);
std::vector<Problem> puzzle_problems(const World& world, const std::vector<Puzzle>& puzzles,
                                     int64_t count, Rng& rng);
// Each in both languages, as far as the count goes. The set: "puzzles after a thought".
std::vector<Question> puzzle_questions(const World& world, const std::vector<Puzzle>& puzzles,
                                       int64_t count, Rng& rng);

}  // namespace malssi::world
