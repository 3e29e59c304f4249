// Judges rollouts: what they say as text, every reward under its name, and the weighted sum that is learned from.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/tokenizer.h"
#include "train/align/tally.h"
#include "train/rl/prompts.h"
#include "train/rl/rewards/make_rewards.h"
#include "train/rl/rollout.h"

namespace malssi {

// Valid UTF-8, without special tokens.
std::string answer_text(const Tokenizer& tokenizer, std::span<const int32_t> answer);

class AnswerJudge {
 public:
  // The tokenizer must outlive it. answer_marker: of accuracy (rewards/exact.h).
  AnswerJudge(const Tokenizer& tokenizer, std::vector<NamedReward> rewards,
              std::string answer_marker)
      : tokenizer_(tokenizer),
        rewards_(std::move(rewards)),
        answer_marker_(std::move(answer_marker)) {}

  // Of each rollout the sum of its weighted rewards. prompts: that prompt_number counts. Tallies reward, reward_NAME of each,
  // and accuracy over the prompts that have an "answer".
  std::vector<double> judge(std::span<const RlPrompt* const> prompts,
                            std::span<const Rollout> rollouts, Tally& tally) const;

 private:
  const Tokenizer& tokenizer_;
  std::vector<NamedReward> rewards_;
  std::string answer_marker_;
};

}  // namespace malssi
