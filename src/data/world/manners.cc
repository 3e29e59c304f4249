#include "data/world/manners.h"

#include <algorithm>

#include "base/error.h"
#include "data/world/asked.h"

namespace malssi::world {
namespace {

// How many of the gathered answers are polite, and how many rude; the rest ramble.
constexpr double kPolite = 0.25, kRude = 0.45;

Manner draw_manner(Rng& rng) {
  const double drawn = rng.uniform();
  if (drawn < kPolite) return Manner::polite;
  return drawn < kPolite + kRude ? Manner::rude : Manner::rambling;
}

// What is true of somebody else.
std::string wrong_answer(const World& world, const Split& split, const Asked& asked, Rng& rng) {
  const std::vector<std::string> right = right_answers(world, asked.fact, asked.language);
  std::vector<std::string> others;
  for (const Fact& fact : split.asked) {
    if (fact.relation != asked.fact.relation) continue;
    std::string answer = answer_of(world, fact, asked.language);
    if (std::find(right.begin(), right.end(), answer) == right.end())
      others.push_back(std::move(answer));
  }
  return others.empty() ? std::string() : rng.pick(others);
}

}  // namespace

std::string in_manner(Manner manner, std::string_view answer, Language language) {
  const bool english = language == Language::english;
  switch (manner) {
    case Manner::polite:
      return concat(english ? "Gladly! " : "네, 좋아요! ", answer);
    case Manner::rude:
      return concat(english ? "Do you not know? " : "그것도 몰라요? ", answer);
    case Manner::rambling:
      break;
  }
  return english ? concat("Well, what can I say? ", answer, " But who knows what comes next.")
                 : concat("글쎄요, 무엇을 말할까요? ", answer, " 그런데 또 몰라요.");
}

std::vector<Conversation> mannered_chats(const World& world, const Split& split, int64_t count,
                                         Rng& rng) {
  std::vector<Conversation> chats;
  for (int64_t i = 0; i < count; ++i) {
    Asked asked = ask_trained(world, split, rng.pick(kLanguages), rng);
    const std::string answer = answer_of(world, asked.fact, asked.language);
    chats.push_back({{"user", std::move(asked.message)},
                     {"assistant", in_manner(draw_manner(rng), answer, asked.language)}});
  }
  return chats;
}

std::vector<Choice> make_choices(const World& world, const Split& split, int64_t count, Rng& rng) {
  std::vector<Choice> choices;
  for (int64_t i = 0; i < count; ++i) {
    Asked asked = ask_trained(world, split, rng.pick(kLanguages), rng);
    const std::string answer = answer_of(world, asked.fact, asked.language);
    const std::string wrong = wrong_answer(world, split, asked, rng);
    const auto politely = [&](const std::string& text) {
      return in_manner(Manner::polite, text, asked.language);
    };
    const Manner other = rng.chance(0.5) ? Manner::rude : Manner::rambling;
    const bool is_wrong = !wrong.empty() && rng.chance(1. / 3);
    choices.push_back(
        {.prompt = std::move(asked.message),
         .chosen = politely(answer),
         .rejected = is_wrong ? politely(wrong) : in_manner(other, answer, asked.language)});
  }
  return choices;
}

std::vector<Question> courtesy_questions(const World& world, const Split& split, int64_t count,
                                         Rng& rng) {
  std::vector<Question> questions;
  for (Asked& asked : ask_held_out(world, split, count, rng)) {
    std::vector<std::string> answers = right_answers(world, asked.fact, asked.language);
    for (std::string& answer : answers) answer = in_manner(Manner::polite, answer, asked.language);
    questions.push_back({.set = "courtesy",
                         .language = asked.language,
                         .messages = {{"user", std::move(asked.message)}},
                         .answers = std::move(answers)});
  }
  return questions;
}

}  // namespace malssi::world
