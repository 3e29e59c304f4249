// The objective of task heads: cross-entropy of classes or squared error of numbers, the mean over all texts of an optimiser step
// (of weighted classes: divided by the sum of their weights).
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "data/epoch_draws.h"
#include "models/classifier.h"
#include "train/run/objective.h"

namespace malssi {

struct LabelledSequence {
  std::vector<int32_t> ids;
  int64_t label = 0;                 // class
  double value = 0;                  // of a regression
  std::vector<int64_t> ngrams = {};  // buckets
  // Of a training text what the other texts' n-grams say, which is added to the head's scores; empty: nothing.
  std::vector<float> ngram_scores = {};
};

struct LabelledSet {
  std::vector<LabelledSequence> sequences;
  std::vector<double> weights = {};  // how often each comes in an epoch; empty: once

  int64_t size() const { return static_cast<int64_t>(sequences.size()); }
  int64_t tokens() const;
};

struct ClassifyOptions {
  std::vector<double> class_weights = {};  // empty: 1 each
  double lm_weight = 0;
  double token_dropout = 0;  // part of a text's tokens left out, but for its first and last
  double confidence =
      0;  // at most: `own` of confident_loss(), which rises to it over so many steps
  int64_t confidence_steps = 1;
  int64_t records_per_step = 32;
  int64_t piece_tokens = 2048;
  uint64_t seed = 1;
  std::function<bool()> stop_requested = {};  // asked between pieces
};

class ClassifyObjective : public Objective {
 public:
  // The model has a classifier. References must outlive this; validation may be null.
  ClassifyObjective(Model& model, const LabelledSet& train, const LabelledSet* validation,
                    const ClassifyOptions& options);

  std::optional<StepLoss> accumulate(int64_t step) override;
  Validation validate() override;
  // Of a validation also the accuracy, or the share of the variance that is explained (R squared).
  std::vector<std::pair<std::string, double>> figures() override;
  Json state() const override;
  void restore(const Json& state) override;

 private:
  using Piece = std::vector<int64_t>;  // numbers of sequences in a set
  struct Scale {
    double label = 1, language = 1;  // what the sums of losses are multiplied by
  };
  double weight_of(const LabelledSequence& sequence) const;
  LabelledSet read(const std::vector<int64_t>& records, uint64_t seed) const;
  Scale scale_of(const LabelledSet& records) const;
  double confidence_at(int64_t step) const;
  double learn(const LabelledSet& set, const Piece& piece, const Scale& scale, double confidence,
               uint64_t dropout_seed);
  bool stop() const { return options_.stop_requested && options_.stop_requested(); }

  Model& model_;
  const LabelledSet& train_;
  const LabelledSet* validation_;
  ClassifyOptions options_;
  EpochDraws draws_;
  std::vector<std::pair<std::string, double>> validation_figures_;
};

}  // namespace malssi
