// The methods of `malssi align` that compare log-probabilities of answers, each with its options.
#pragma once

#include <string>

#include "data/preference.h"
#include "train/align/preference_loss.h"

namespace malssi {

struct PreferenceMethod {
  std::string name = "dpo";      // dpo, kto, orpo, simpo, or reward: a reward model
  std::string loss = "sigmoid";  // of dpo: sigmoid, hinge, ipo or robust
  double beta = 0.1;
  double label_smoothing = 0;
  bool length_normalised = false;
  double gamma = 1;                              // simpo's margin
  double liked_weight = 1, disliked_weight = 1;  // kto's

  // Whether answers are judged one by one; else they come in pairs.
  bool judges() const { return name == "kto"; }
  bool needs_reference() const { return name == "dpo" || name == "kto"; }
  // Whether the result is a reward model; else one that writes.
  bool scores() const { return name == "reward"; }
  PreferenceKind kind() const {
    return judges()   ? PreferenceKind::judged
           : scores() ? PreferenceKind::rankings
                      : PreferenceKind::pairs;
  }
};

PairLoss pair_loss(const PreferenceMethod& method, const PairLogProbs& pair);
JudgedLoss judged_loss(const PreferenceMethod& method, const AnswerLogProb& answer, Verdict verdict,
                       double z0);

}  // namespace malssi
