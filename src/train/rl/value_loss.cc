#include "train/rl/value_loss.h"

#include <algorithm>

namespace malssi {

ValueLoss clipped_value_loss(double v, double before, double target, double clip) {
  const double free = v - target, held = std::clamp(v, before - clip, before + clip) - target;
  if (held * held > free * free) return {.value = 0.5 * held * held, .derivative = 0};
  return {.value = 0.5 * free * free, .derivative = free};
}

}  // namespace malssi
