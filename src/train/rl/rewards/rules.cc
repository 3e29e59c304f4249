#include "train/rl/rewards/rules.h"

#include "base/error.h"
#include "text/grammar/automaton.h"
#include "text/grammar/grammar.h"
#include "text/grammar/walker.h"
#include "train/rl/rewards/exact.h"

namespace malssi {
namespace {

constexpr std::string_view kOpen = "<think>", kClose = "</think>";

bool once(std::string_view text, std::string_view part) {
  const size_t at = text.find(part);
  return at != text.npos && text.find(part, at + part.size()) == text.npos;
}

class SchemaReward : public Reward {
 public:
  explicit SchemaReward(const Json& schema) : automaton_(compile(json_schema_grammar(schema))) {}

  std::vector<double> scores(std::span<const JudgedAnswer> answers) override {
    std::vector<double> all;
    for (const JudgedAnswer& each : answers) all.push_back(fits(each.text) ? 1 : 0);
    return all;
  }

 private:
  bool fits(std::string_view text) const {
    try {
      const std::string line = dump_json(parse_json(text, "the answer"));  // without its spaces
      Walker walker(automaton_);
      int32_t place = walker.start();
      for (const char c : line) {
        if (place == Walker::kDead) return false;
        place = walker.next(place, static_cast<uint8_t>(c));
      }
      return place != Walker::kDead && walker.complete(place);
    } catch (const Error&) {
      return false;  // no JSON, or too deep
    }
  }

  Automaton automaton_;
};

}  // namespace

bool thinks_first(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == text.npos || !text.substr(begin).starts_with(kOpen)) return false;
  if (!once(text, kOpen) || !once(text, kClose)) return false;
  const size_t close = text.find(kClose);
  const auto blank = [](std::string_view part) {
    return part.find_first_not_of(" \t\r\n") == part.npos;
  };
  const size_t thoughts = begin + kOpen.size();
  return close >= thoughts && !blank(text.substr(thoughts, close - thoughts)) &&
         !blank(text.substr(close + kClose.size()));
}

double overlong_penalty(int64_t tokens, int64_t longest, int64_t margin) {
  const int64_t over = tokens - (longest - margin);
  if (over <= 0) return 0;
  return tokens >= longest ? -1 : -static_cast<double>(over) / static_cast<double>(margin);
}

std::unique_ptr<Reward> exact_reward(std::string marker) {
  return std::make_unique<RewardByRule>([marker = std::move(marker)](const JudgedAnswer& answer) {
    const RlPrompt& prompt = answer.prompt;
    REQUIRE(prompt.record.contains("answer"), prompt.where,
            ": \"answer\" is missing, which the reward \"exact\" compares with");
    return is_exact(answer.text, prompt.record["answer"], marker, prompt.where) ? 1.0 : 0.0;
  });
}

std::unique_ptr<Reward> schema_reward(const Json& schema) {
  return std::make_unique<SchemaReward>(schema);
}

std::unique_ptr<Reward> think_reward() {
  return std::make_unique<RewardByRule>(
      [](const JudgedAnswer& answer) { return thinks_first(answer.text) ? 1.0 : 0.0; });
}

std::unique_ptr<Reward> overlong_reward(int64_t longest, int64_t margin) {
  return std::make_unique<RewardByRule>([longest, margin](const JudgedAnswer& answer) {
    return overlong_penalty(answer.tokens, longest, margin);
  });
}

}  // namespace malssi
