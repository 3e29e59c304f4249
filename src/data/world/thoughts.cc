#include "data/world/thoughts.h"

#include <algorithm>

#include "base/error.h"

namespace malssi::world {
namespace {

constexpr std::string_view kOpen = "<think>", kClose = "</think>";
constexpr double kCareful = 0.25;  // part of the thoughts shown that work the addition out
constexpr int64_t kFarOff = 12;    // a guess is at most so far from the total

std::string ask(const Sum& sum, Language language, Rng& rng) {
  return concat(ask_sum(sum, SumStyle::plain, language, rng),
                language == Language::english ? " Think first." : " 먼저 생각해 주세요.");
}

std::string guess(const Sum& sum, Language language, Rng& rng) {
  const int64_t total = sum.total() + rng.below(2 * kFarOff + 1) - kFarOff;
  return concat(kOpen, language == Language::english ? "I guess." : "그냥 알아요.", kClose, total);
}

}  // namespace

std::vector<Conversation> thoughtful_chats(const Split& split, int64_t count, Rng& rng) {
  std::vector<Conversation> chats;
  for (int64_t i = 0; i < count; ++i) {
    const Sum& sum = rng.pick(split.sums.train);
    const Language language = rng.pick(kLanguages);
    std::string message = ask(sum, language, rng);
    chats.push_back({{"user", std::move(message)},
                     {"assistant", rng.chance(kCareful)
                                       ? concat(kOpen, work_sum(sum, language), kClose, sum.total())
                                       : guess(sum, language, rng)}});
  }
  return chats;
}

bool thought_is_right(const Sum& sum, std::string_view reply) {
  if (!reply.starts_with(kOpen)) return false;
  const size_t end = reply.find(kClose);
  return end != reply.npos && sum_is_right(sum, reply.substr(end + kClose.size()));
}

std::vector<SumPrompt> sum_prompts(const Split& split, int64_t count, Rng& rng) {
  std::vector<SumPrompt> prompts;
  for (int64_t i = 0; i < count; ++i) {
    const Sum& sum = rng.pick(split.sums.train);
    prompts.push_back({.prompt = ask(sum, rng.pick(kLanguages), rng), .total = sum.total()});
  }
  return prompts;
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
