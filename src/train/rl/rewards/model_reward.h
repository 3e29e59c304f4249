// A reward model's opinion: a folder that `malssi align reward` made, or another model with one number for a sequence.
#pragma once

#include <memory>

#include "kernels/dtype.h"
#include "train/rl/rewards/reward.h"

namespace malssi {

// In the given precision. Throws Error: no model there, or one that writes instead of judging. An answer that does not fit the
// model's context with its prompt earns `too_long`.
std::unique_ptr<Reward> model_reward(const fs::path& folder, DType compute, double too_long);

}  // namespace malssi
