// What the training stages share: a run is begun, or, where an earlier demo was stopped in it, gone on with.
#pragma once

#include <optional>
#include <string>

#include "base/console.h"
#include "train/resume.h"
#include "train/run/run_folder.h"

namespace malssi::demo {

// The finished run; nothing when a stop was asked for.
template <class Config>
std::optional<RunResult> train_or_resume(const Config& config, RunResult (*begin)(Config, Console&),
                                         Console& console) {
  const fs::path run = config.train.out;
  const RunResult result =
      fs::exists(run_config(run)) ? resume_run(run, {}, console) : begin(config, console);
  if (result.end == LoopEnd::interrupted) return std::nullopt;
  return result;
}

// "1.2M tokens in 300 steps, validation loss 0.12 nats a token"
std::string summary_of(const RunResult& result);

}  // namespace malssi::demo
