// Learning from preferences: from a model that answers to one that answers as people like it. Methods: dpo, kto, orpo, simpo
// (preference_loss.h); and reward, which makes a model that says how much people would like an answer
// (reward_objective.h): a ...ForSequenceClassification folder with one label.
#pragma once

#include <string>
#include <vector>

#include "base/console.h"
#include "train/align/align_config.h"
#include "train/run/session.h"

namespace malssi {

// Begins a run in config.train.out, which must hold none yet. Throws Error: settings that do not fit together, a model or
// preferences that cannot be used, a folder that is taken.
RunResult run_align(AlignConfig config, Console& console);

// Whether a run's kind is one of these methods.
bool is_align_method(std::string_view kind);

// Goes on with a run of this method that run_align began; see resume_pretrain.
RunResult resume_align(const fs::path& run, const std::string& method,
                       const std::vector<std::string>& settings, Console& console);

}  // namespace malssi
