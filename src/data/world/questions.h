// Evaluation: what to ask, and whether a reply is right. Nothing here knows an answer but through
// the world's facts and arithmetic.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/random.h"
#include "data/sft.h"
#include "data/world/split.h"

namespace malssi::world {

enum class Check {
  exact,  // the reply is one of the answers, but for blanks, capitals and a final full stop
  list,   // the reply names just the answers, in any order
  sum,    // sums.h
  steps,
  thought,  // thoughts.h
  puzzle,   // a thought, and then one of the answers, as for exact
};

struct Question {
  // "facts", "unasked facts", "follow-ups", "additions", "additions in steps", "translations", ...
  std::string set = {};
  Language language = Language::english;
  Conversation messages = {};  // ends with the user
  Check check = Check::exact;
  // exact: any is right; list: all together; sums: the total.
  std::vector<std::string> answers = {};
  Sum sum = {};
};

bool is_right(const Question& question, std::string_view reply);

// How many of each set, both languages together.
struct QuestionCounts {
  int64_t facts = 400;
  int64_t sums = 200;   // plain; with steps as many, of the same additions
  int64_t others = 60;  // each other set
};
// Facts, instructions and dialogues in held-out wordings, held-out additions, sentences never
// translated in training, stories never told.
std::vector<Question> make_questions(const World& world, const Split& split,
                                     const QuestionCounts& counts, Rng& rng);

Json to_json(const Question& question);
// Throws Error when it is no question.
Question question_from_json(const Json& json, std::string_view where);

}  // namespace malssi::world
