// Distillation by logits (Hinton, Vinyals, Dean 2015): a student learns, at every token that instruction tuning would learn, the
// whole distribution of a frozen teacher of the same tokenizer. Data and everything else are those of instruction tuning (sft.h).
#pragma once

#include <string>
#include <vector>

#include "base/console.h"
#include "train/run/session.h"
#include "train/tune/distill_config.h"

namespace malssi {

// Begins a run in config.train.out, which must hold none yet. Throws Error: as run_sft(), and where the teacher's tokenizer or
// context does not fit.
RunResult run_distill(DistillConfig config, Console& console);

// Goes on with a run that run_distill began; see resume_pretrain. The teacher must still be where it was.
RunResult resume_distill(const fs::path& run, const std::vector<std::string>& settings,
                         Console& console);

}  // namespace malssi
