// Task heads: from a model and labelled texts to a classifier or a regression, published as "...ForSequenceClassification" with
// its labels. All weights are trained; with lm_weight a decoder goes on learning to predict the texts (Radford et al. 2018).
#pragma once

#include <string>
#include <vector>

#include "base/console.h"
#include "train/run/session.h"
#include "train/tune/classify_config.h"

namespace malssi {

// Begins a run in config.train.out, which must hold none yet. Throws Error: settings that do not fit together, a model or texts that
// cannot be used, a single class, a folder that is taken.
RunResult run_classify(ClassifyConfig config, Console& console);

// Goes on with a run that run_classify began; see resume_pretrain.
RunResult resume_classify(const fs::path& run, const std::vector<std::string>& settings,
                          Console& console);

}  // namespace malssi
