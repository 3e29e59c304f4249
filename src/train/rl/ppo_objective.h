// Proximal policy optimisation from a reward model's scores (Schulman et al. 2017; Ouyang et al. 2022): answers are drawn and
// judged, then learned from for some epochs in optimiser steps of so many answers each. The loss of a step is the clipped policy
// loss, the mean over its tokens, plus the critic's clipped loss, and with a pretraining mix (PPO-ptx) the loss on text.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "data/batches.h"
#include "train/align/tally.h"
#include "train/rl/experience.h"
#include "train/rl/kl_control.h"
#include "train/rl/policy_loss.h"
#include "train/run/objective.h"

namespace malssi {

struct PpoOptions {
  ExperienceOptions experience = {};
  KlOptions kl = {};
  int64_t answers = 64;  // drawn at a time: a multiple of answers_per_step
  int64_t answers_per_step = 16;
  int64_t epochs = 4;  // through the answers, until new ones are drawn
  double clip = 0.2, value_clip = 0.2;
  double value_weight = 0.1;
  double text_weight = 0;  // of the loss on text
  uint64_t seed = 1;
};

class PpoObjective : public Objective {
 public:
  // All must outlive this. validation may be empty; text: a batch for each optimiser step, or null.
  PpoObjective(const PpoActors& actors, std::span<const RlPrompt> train,
               std::span<const RlPrompt> validation, BatchSource* text, const PpoOptions& options);

  std::optional<StepLoss> accumulate(int64_t step) override;
  // Minus the mean reward of answers to held-out prompts, KL taken off at the weight that the run began with.
  Validation validate() override;
  std::vector<std::pair<std::string, double>> figures() override;
  Json state() const override;
  void restore(const Json& state) override;

 private:
  using Numbers = std::vector<int64_t>;
  Numbers next_prompts() const;
  Numbers next_answers() const;
  bool is_shared() const { return actors_.critic.model == &actors_.policy; }
  bool stop() const {
    return options_.experience.stop_requested && options_.experience.stop_requested();
  }
  double learn(const Numbers& piece, const StepSize& size, Tally& tally);
  Tensor policy_part(const Tensor& log_probs, const Numbers& piece, const StepSize& size,
                     Tally& tally) const;
  Tensor value_part(const Tensor& values, const Numbers& piece, const StepSize& size,
                    Tally& tally) const;
  std::optional<StepLoss> learn_text();
  void finish_step(const Tally& tally);

  PpoActors actors_;
  std::span<const RlPrompt> train_, validation_;
  std::string hash_;  // of the prompts
  BatchSource* text_;
  PpoOptions options_;
  KlControl kl_;
  int64_t rounds_ = 0;    // of drawing answers, that are over
  int64_t position_ = 0;  // steps of this round
  std::optional<Experience> experience_;
  Tally tally_;  // of the steps since the last record
  std::vector<std::pair<std::string, double>> validation_figures_;
};

}  // namespace malssi
