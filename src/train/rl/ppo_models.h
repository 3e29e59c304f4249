// The models of a PPO run. What is held in memory: the policy and the reward model, once each. With ppo.lora the reference is
// the policy with its adapter switched off; else it is a second, frozen copy. The critic adds an adapter to the reward model, or
// a head to the policy.
#pragma once

#include <memory>
#include <optional>

#include "train/rl/critic.h"
#include "train/rl/ppo_config.h"
#include "train/rl/rewards/reward_model.h"
#include "train/run/trained.h"

namespace malssi {

struct PpoModels {
  Student policy;
  std::unique_ptr<Model> reference;  // null: the policy's model without its adapter
  std::unique_ptr<RewardModel> reward;
  Critic critic;
  Tensor value_head;  // of a critic on the policy
  Trained trained;    // the policy, and with it the critic

  Model& reference_model() const { return reference ? *reference : *policy.model; }
};

// checkpoint: what to go on from, if anything. Throws Error: also where policy and reward model have different tokens, which
// a critic of the reward model cannot bridge. Stays where it is.
std::unique_ptr<PpoModels> load_ppo_models(const PpoConfig& config,
                                           const std::optional<fs::path>& checkpoint);

}  // namespace malssi
