#include "data/world/tales.h"

#include "base/error.h"
#include "data/world/asked.h"

namespace malssi::world {

std::string as_tale(std::string_view answer, Language language) {
  return language == Language::english
             ? concat("Once upon a time, they say: ", answer, " So the story goes.")
             : concat("옛날 옛날 이야기예요. ", answer, " 그런 이야기가 있어요.");
}

std::vector<Conversation> tale_chats(const World& world, const Split& split, int64_t count,
                                     Rng& rng) {
  std::vector<Conversation> chats;
  for (int64_t i = 0; i < count; ++i) {
    Asked asked = ask_trained(world, split, rng.pick(kLanguages), rng);
    const std::string answer = answer_of(world, asked.fact, asked.language);
    chats.push_back(
        {{"user", std::move(asked.message)}, {"assistant", as_tale(answer, asked.language)}});
  }
  return chats;
}

std::vector<Question> tale_questions(const World& world, const Split& split, int64_t count,
                                     Rng& rng) {
  std::vector<Question> questions;
  for (Asked& asked : ask_held_out(world, split, count, rng)) {
    std::vector<std::string> answers = right_answers(world, asked.fact, asked.language);
    for (std::string& answer : answers) answer = as_tale(answer, asked.language);
    questions.push_back({.set = "fairy tales",
                         .language = asked.language,
                         .messages = {{"user", std::move(asked.message)}},
                         .answers = std::move(answers)});
  }
  return questions;
}

}  // namespace malssi::world
