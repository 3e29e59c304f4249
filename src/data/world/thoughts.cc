#include "data/world/thoughts.h"

#include <algorithm>

#include "base/error.h"

namespace malssi::world {
namespace {

constexpr std::string_view kOpen = "<think>", kClose = "</think>";
constexpr int64_t kFarOff = 12;  // a guess is at most so far from the total

std::string ask(const Sum& sum, Language language, Rng& rng) {
  return asked_to_think(ask_sum(sum, SumStyle::plain, language, rng), language);
}

std::string guess(const Sum& sum, Language language, Rng& rng) {
  const int64_t total = sum.total() + rng.below(2 * kFarOff + 1) - kFarOff;
  return after_thought(guessing(language), concat(total));
}

}  // namespace

std::string asked_to_think(std::string_view question, Language language) {
  return concat(question, language == Language::english ? " Think first." : " 먼저 생각해 주세요.");
}

std::string after_thought(std::string_view thought, std::string_view answer) {
  return concat(kOpen, thought, kClose, answer);
}

std::string_view guessing(Language language) {
  return language == Language::english ? "I guess." : "그냥 알아요.";
}

std::optional<std::string_view> said_after_thought(std::string_view reply) {
  const size_t end = reply.find(kClose);
  if (!reply.starts_with(kOpen) || end == reply.npos) return {};
  return reply.substr(end + kClose.size());
}

std::vector<Conversation> sum_chats(const Split& split, int64_t count, Rng& rng) {
  std::vector<Conversation> chats;
  for (int64_t i = 0; i < count; ++i) {
    const Sum& sum = rng.pick(split.sums.train);
    const Language language = rng.pick(kLanguages);
    std::string message = ask(sum, language, rng);
    chats.push_back({{"user", std::move(message)},
                     {"assistant", rng.chance(kCareful)
                                       ? after_thought(work_sum(sum, language), concat(sum.total()))
                                       : guess(sum, language, rng)}});
  }
  return chats;
}

bool thought_is_right(const Sum& sum, std::string_view reply) {
  const auto said = said_after_thought(reply);
  return said && sum_is_right(sum, *said);
}

std::vector<Problem> sum_problems(const Split& split, int64_t count, Rng& rng) {
  std::vector<Problem> problems;
  for (int64_t i = 0; i < count; ++i) {
    const Sum& sum = rng.pick(split.sums.train);
    problems.push_back(
        {.prompt = ask(sum, rng.pick(kLanguages), rng), .answers = {concat(sum.total())}});
  }
  return problems;
}

std::vector<Question> thought_questions(const Split& split, int64_t count, Rng& rng) {
  std::vector<Question> questions;
  const int64_t most = std::min<int64_t>(count, std::ssize(split.sums.held_out));
  for (int64_t i = 0; i < most; ++i) {
    const Sum& sum = split.sums.held_out[static_cast<size_t>(i)];
    const Language language = kLanguages[static_cast<size_t>(i % 2)];
    questions.push_back({.set = "additions after a thought",
                         .language = language,
                         .messages = {{"user", ask(sum, language, rng)}},
                         .check = Check::thought,
                         .answers = {concat(sum.total())},
                         .sum = sum});
  }
  return questions;
}

}  // namespace malssi::world
