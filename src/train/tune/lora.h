// Low-rank adapters (LoRA: Hu et al. 2021) trained on conversations: the base model's weights stay as they are, in memory as
// on the disk; RUN/adapter is a PEFT folder. Loss and data are those of instruction tuning (sft.h).
#pragma once

#include <string>
#include <vector>

#include "base/console.h"
#include "train/run/session.h"
#include "train/tune/lora_config.h"

namespace malssi {

// Begins a run in config.train.out, which must hold none yet. Throws Error: settings that do not fit together, a model or
// conversations that cannot be used, targets that the model does not have, a folder that is taken.
RunResult run_lora(LoraConfig config, Console& console);

// Goes on with a run that run_lora began; see resume_pretrain. The base model must still be where it was.
RunResult resume_lora(const fs::path& run, const std::vector<std::string>& settings,
                      Console& console);

}  // namespace malssi
