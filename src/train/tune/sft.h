// Supervised instruction tuning: from a base model and conversations to a model that answers. The
// loss is on the assistant's words alone, in every turn, end token included.
#pragma once

#include <string>
#include <vector>

#include "base/console.h"
#include "train/run/session.h"
#include "train/tune/sft_config.h"

namespace malssi {

// Begins a run in config.train.out, which must hold none yet; RUN/model then has the chat template.
// Tokens that the template needs and the model lacks are added. Throws Error: settings that do not
// fit together, a model or conversations that cannot be used, a folder that is taken.
RunResult run_sft(SftConfig config, Console& console);

// Goes on with a run that run_sft began; see resume_pretrain.
RunResult resume_sft(const fs::path& run, const std::vector<std::string>& settings,
                     Console& console);

}  // namespace malssi
