// The objective of reinforcement learning with verifiable rewards (Shao et al. 2024; Guo et al. 2025): draw a group of answers
// to each of some prompts, judge them, and make those likelier that did better than their group. A lesson (one rollout) serves
// `inner_epochs` passes over its answers in `mini_batches` optimiser steps each; the loss of a step is over all its answers,
// however they are cut into pieces.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "models/model.h"
#include "train/align/tally.h"
#include "train/rl/answer_judge.h"
#include "train/rl/lesson.h"
#include "train/rl/rl_method.h"
#include "train/run/objective.h"

namespace malssi {

struct RlOptions {
  RlMethod method = {};
  RolloutOptions rollout = {};  // its samples are a group; the seed is the objective's
  int64_t prompts = 8;          // of a lesson
  int64_t mini_batches = 1, inner_epochs = 1;
  int64_t most_draws =
      3;  // of prompts, before a lesson goes on with fewer groups that teach (dapo)
  bool skip_unended = false;  // answers that grew too long teach nothing
  int64_t piece_tokens = 2048;
  uint64_t seed = 1;
};

// The models of a run. With an adapter under training the reference is the policy itself without it.
struct RlModels {
  Model& policy;
  AdapterMix adapters = {};
  Model* reference = nullptr;  // null: there is none; adapters never act on it
  const Tokenizer& tokenizer;
};

class RlObjective : public Objective {
 public:
  // References must outlive it.
  RlObjective(const RlModels& models, const AnswerJudge& judge, std::span<const RlPrompt> train,
              std::span<const RlPrompt> validation, const RlOptions& options);

  std::optional<StepLoss> accumulate(int64_t step) override;
  // Minus the mean reward of the likeliest answers to held-out prompts.
  Validation validate() override;
  std::vector<std::pair<std::string, double>> figures() override;
  Json state() const override;
  void restore(const Json& state) override;

 private:
  using Numbers = std::vector<int64_t>;
  struct Drawn;  // groups of answers with their rewards

  bool begin_lesson();  // false: a stop was asked for
  bool draw_groups(Drawn& drawn, int64_t groups, Tally& tally);
  bool add_log_probs(Lesson& lesson);
  Numbers answers_of_update() const;
  double learn(const Numbers& piece, const StepSize& step, Tally& tally);
  RlPrompt const& prompt_of(int64_t draw) const;
  bool updates_once() const { return options_.mini_batches * options_.inner_epochs == 1; }
  bool stop() const { return options_.rollout.stop_requested && options_.rollout.stop_requested(); }

  RlModels models_;
  const AnswerJudge& judge_;
  std::span<const RlPrompt> train_, validation_;
  RlOptions options_;
  PolicyLossOptions loss_;
  std::string hash_;   // of the prompts
  int64_t drawn_ = 0;  // prompts, so far
  std::optional<Lesson> lesson_;
  Tally tally_;             // of the steps since the last record
  Tally validation_tally_;  // of the last validation, until it is recorded
};

}  // namespace malssi
