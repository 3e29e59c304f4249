// What a run learns from: the loss of one optimiser step and its gradient, the loss on held-out
// data, and the position in the data. Pretraining and instruction tuning share LanguageObjective;
// preference methods bring their own.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"

namespace malssi {

struct StepLoss {
  double loss = 0;     // mean over what is scored in the whole step: tokens, or preferences
  int64_t tokens = 0;  // tokens that went through the model
};

struct Validation {
  std::optional<double> loss;  // nothing when there is no held-out data
  bool complete = true;        // false: a stop was asked for meanwhile
};

class Objective {
 public:
  virtual ~Objective() = default;

  // Forward and backward passes of one optimiser step: leaves the gradient of the mean loss in the
  // model's parameters, which hold none before. Nothing when a stop was asked for meanwhile: then
  // the gradient is worthless and the position in the data unchanged.
  virtual std::optional<StepLoss> accumulate(int64_t step) = 0;

  // Mean loss on held-out data, the same data each time. Does not disturb the position.
  virtual Validation validate() = 0;

  // More about the steps and the validation since the last call, under names of their own: for the run's records.
  virtual std::vector<std::pair<std::string, double>> figures() { return {}; }

  // Everything that accumulate() will depend on, besides the model and the step.
  virtual Json state() const = 0;
  virtual void restore(const Json& state) = 0;
};

}  // namespace malssi
