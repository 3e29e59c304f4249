// Proximal policy optimisation from a reward model (Ouyang et al. 2022): prompts in, answers drawn and judged, a model that
// writes the better ones. RUN/model, or with ppo.lora RUN/adapter.
#pragma once

#include <string>
#include <vector>

#include "base/console.h"
#include "train/rl/ppo_config.h"
#include "train/run/session.h"

namespace malssi {

// Begins a run in config.train.out, which must hold none yet. Throws Error: settings that do not fit together, models or
// prompts that cannot be used, a folder that is taken.
RunResult run_ppo(PpoConfig config, Console& console);

// Goes on with a run that run_ppo began; see resume_pretrain. The reward model, and the model that it began from, must still
// be where they were.
RunResult resume_ppo(const fs::path& run, const std::vector<std::string>& settings,
                     Console& console);

}  // namespace malssi
