#include "train/rl/rewards/model_reward.h"

#include "train/rl/rewards/reward_model.h"

namespace malssi {

std::unique_ptr<Reward> model_reward(const fs::path& folder, DType compute, double too_long) {
  return std::make_unique<RewardModel>(
      folder, RewardModelOptions{.compute = compute, .too_long = too_long});
}

}  // namespace malssi
