#include "train/rl/kl_control.h"

#include <algorithm>

namespace malssi {

void KlControl::update(double kl, int64_t answers) {
  if (!options_.is_adaptive) return;
  const double error = std::clamp(kl / options_.target - 1, -0.2, 0.2);
  beta_ *= 1 + error * static_cast<double>(answers) / options_.horizon;
}

}  // namespace malssi
