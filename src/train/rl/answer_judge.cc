#include "train/rl/answer_judge.h"

#include "base/error.h"
#include "text/utf8.h"
#include "train/rl/rewards/exact.h"

namespace malssi {

std::string answer_text(const Tokenizer& tokenizer, std::span<const int32_t> answer) {
  Utf8Stream utf8;
  const std::string text = utf8.push(tokenizer.decode(answer, {.skip_special = true}));
  return text + utf8.finish();
}

std::vector<double> AnswerJudge::judge(std::span<const RlPrompt* const> prompts,
                                       std::span<const Rollout> rollouts, Tally& tally) const {
  std::vector<JudgedAnswer> answers;
  for (const Rollout& each : rollouts) {
    const RlPrompt& prompt = *prompts[static_cast<size_t>(each.prompt_number)];
    answers.push_back({.prompt = prompt,
                       .text = answer_text(tokenizer_, each.answer),
                       .tokens = std::ssize(each.answer),
                       .ended = each.ended});
    if (prompt.record.contains("answer"))
      tally.add("accuracy", is_exact(answers.back().text, prompt.record["answer"], answer_marker_,
                                     prompt.where));
  }
  std::vector<double> total(answers.size(), 0.0);
  for (const NamedReward& named : rewards_) {
    const std::vector<double> scores = named.reward->scores(answers);
    CHECK(scores.size() == answers.size(), named.name, ": ", scores.size(), " rewards");
    for (size_t i = 0; i < scores.size(); ++i) {
      tally.add("reward_" + named.name, scores[i]);
      total[i] += named.weight * scores[i];
    }
  }
  for (const double each : total) tally.add("reward", each);
  return total;
}

}  // namespace malssi
