// Pretraining: from text to a base model. Recipe, tokenizer, token shards, model and data position
// come together here; train/run/session.h does the rest.
#pragma once

#include <string>
#include <vector>

#include "base/console.h"
#include "train/pretrain/pretrain_config.h"
#include "train/run/session.h"

namespace malssi {

// Begins a run in config.train.out, which must hold none yet. Throws Error: settings that do not
// fit together, text that cannot be used, a folder that is taken.
RunResult run_pretrain(PretrainConfig config, Console& console);

// Goes on with a run that run_pretrain began; resume_run() of train/resume.h calls it, holding the
// folder's lock. settings: "key=value", to change some (more steps, another rate).
RunResult resume_pretrain(const fs::path& run, const std::vector<std::string>& settings,
                          Console& console);

}  // namespace malssi
