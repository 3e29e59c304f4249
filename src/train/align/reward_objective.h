// The objective of a reward model: of two answers the one that people liked better gets the higher reward (Bradley, Terry
// 1952; Ouyang et al. 2022, equation 1). A ranking of K answers counts as one record: its K (K - 1) / 2 pairs share its
// weight, so that each prompt weighs the same.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "data/preference_draws.h"
#include "models/model.h"
#include "train/align/calibration.h"
#include "train/align/tally.h"
#include "train/run/objective.h"

namespace malssi {

struct RewardOptions {
  double centring = 0;  // weight of the squared sum of both rewards
  int64_t records_per_step = 8;
  int64_t piece_tokens = 2048;
  uint64_t seed = 1;
  AdapterMix adapters = {};                   // what is trained, where it is not the whole model
  std::function<bool()> stop_requested = {};  // asked between pieces
};

class RewardObjective : public Objective {
 public:
  // The model has a value head (models/value_head.h). References must outlive this; validation may be null.
  RewardObjective(Model& model, const PreferenceSet& train, const PreferenceSet* validation,
                  const RewardOptions& options);

  std::optional<StepLoss> accumulate(int64_t step) override;
  Validation validate() override;
  // Of a validation also the share of pairs told right, its 95% interval, and the calibration error.
  std::vector<std::pair<std::string, double>> figures() override;
  Json state() const override;
  void restore(const Json& state) override;

 private:
  using Groups = std::vector<int64_t>;
  double learn(const Groups& piece, double records, uint64_t dropout_seed, Tally& tally,
               int64_t& tokens);
  bool stop() const { return options_.stop_requested && options_.stop_requested(); }

  Model& model_;
  const PreferenceSet& train_;
  const PreferenceSet* validation_;
  RewardOptions options_;
  PreferenceDraws draws_;
  Tally tally_;
  std::vector<std::pair<std::string, double>> validation_figures_;
};

// The rewards of whole sequences (prompt and answer), one for each.
std::vector<double> rewards(Model& model, const PreferenceSet& set, int64_t piece_tokens,
                            const AdapterMix& adapters = {});

}  // namespace malssi
