// The objective of preference methods: make answers that people liked likelier than those they did not. The records of an
// optimiser step go through the model in pieces; the loss is the mean over all records of the step.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "data/preference_draws.h"
#include "models/model.h"
#include "tensor/tensor.h"
#include "train/align/preference_method.h"
#include "train/align/tally.h"
#include "train/run/objective.h"

namespace malssi {

// Preferences, and what the reference model says about each of their sequences (empty where the method asks none).
struct ComparedSet {
  const PreferenceSet& set;
  std::vector<double> reference;
};

struct PreferenceOptions {
  PreferenceMethod method = {};
  int64_t records_per_step = 8;
  int64_t piece_tokens = 2048;
  uint64_t seed = 1;
  AdapterMix adapters = {};                   // what is trained, where it is not the model itself
  std::function<bool()> stop_requested = {};  // asked between pieces
};

class PreferenceObjective : public Objective {
 public:
  // References must outlive this; validation may be null. For a method that judges answers one by one each record's second
  // sequence is the mismatched one (add_mismatched).
  PreferenceObjective(Model& model, const ComparedSet& train, const ComparedSet* validation,
                      const PreferenceOptions& options);

  std::optional<StepLoss> accumulate(int64_t step) override;
  Validation validate() override;
  std::vector<std::pair<std::string, double>> figures() override;
  Json state() const override;
  void restore(const Json& state) override;

 private:
  using Groups = std::vector<int64_t>;
  struct Outcome {
    double loss = 0;                 // summed over the records
    std::vector<float> derivatives;  // by each sequence's log-probability
  };
  std::vector<int64_t> compared(const PreferenceSet& set, const Groups& groups) const;
  Outcome outcome(const ComparedSet& data, const Groups& groups, const float* log_probs, double z0,
                  Tally& tally) const;
  double learn(const Groups& piece, double records, double z0, uint64_t dropout_seed, Tally& tally);
  // Nothing when a stop was asked for meanwhile.
  std::optional<double> baseline(const ComparedSet& data, const std::vector<Groups>& pieces);
  bool stop() const { return options_.stop_requested && options_.stop_requested(); }

  Model& model_;
  const ComparedSet& train_;
  const ComparedSet* validation_;
  PreferenceOptions options_;
  PreferenceDraws draws_;
  Tally tally_;             // of the steps since the last record
  Tally validation_tally_;  // of the last validation, until it is recorded
};

// Each sequence's summed log-probability of its answer, without any adapter. progress(sequences done).
std::vector<double> answer_log_probs(Model& model, const PreferenceSet& set, int64_t piece_tokens,
                                     const std::function<void(int64_t)>& progress = {});

}  // namespace malssi
