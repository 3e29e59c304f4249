// Reinforcement learning with verifiable rewards: from a model that is sometimes right to one that is right more often. GRPO
// and its kin: rl_objective.h.
#pragma once

#include <string>
#include <vector>

#include "base/console.h"
#include "train/rl/grpo_config.h"
#include "train/run/session.h"

namespace malssi {

// Begins a run in config.train.out, which must hold none yet. Throws Error: settings that do not fit together, a model, prompts
// or rewards that cannot be used, a folder that is taken.
RunResult run_grpo(GrpoConfig config, Console& console);

// Goes on with a run that run_grpo began; see resume_pretrain.
RunResult resume_grpo(const fs::path& run, const std::vector<std::string>& settings,
                      Console& console);

}  // namespace malssi
