#include "train/align/preference_method.h"

#include "base/error.h"

namespace malssi {

PairLoss pair_loss(const PreferenceMethod& method, const PairLogProbs& pair) {
  if (method.name == "orpo") return orpo(pair, method.beta);
  if (method.name == "simpo") return simpo(pair, method.beta, method.gamma);
  const DpoOptions options{.beta = method.beta,
                           .label_smoothing = method.label_smoothing,
                           .length_normalised = method.length_normalised};
  if (method.loss == "sigmoid") return dpo_sigmoid(pair, options);
  if (method.loss == "hinge") return dpo_hinge(pair, options);
  if (method.loss == "ipo") return dpo_ipo(pair, options);
  CHECK(method.loss == "robust", "unknown loss ", method.loss, " of ", method.name);
  return dpo_robust(pair, options);
}

JudgedLoss judged_loss(const PreferenceMethod& method, const AnswerLogProb& answer, Verdict verdict,
                       double z0) {
  return kto(answer, verdict, z0,
             {.beta = method.beta,
              .liked_weight = method.liked_weight,
              .disliked_weight = method.disliked_weight});
}

}  // namespace malssi
