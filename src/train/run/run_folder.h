// The folder of a training run:
//   run.json          which kind of training it is
//   config.toml       every setting, as used
//   tokenizer/        pretraining: the tokenizer
//   reference.json    dpo, kto: what the base model says about each answer
//   metrics.jsonl, events.out.tfevents.*, samples.jsonl, report.html
//   checkpoints/      step-N: all that is needed to go on (io/checkpoint.h)
//   best/             the model or adapter of the best validation
//   model/, adapter/  the finished one: the best, or the last where nothing was validated
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/config.h"
#include "base/file.h"

namespace malssi {

fs::path run_config(const fs::path& run);

// Error when the folder holds a run.
void check_no_run(const fs::path& run);
// Makes the folder a run. kind: "pretrain", "sft", "lora", "dpo", "ppo", ...
void begin_run(const fs::path& run, std::string_view kind, const std::string& config_toml);
// The kind of a run. Error when the folder holds none.
std::string run_kind(const fs::path& run);

// Reads config.toml, then settings ("key=value") on top.
void reload_config(ConfigSchema& schema, const fs::path& run,
                   const std::vector<std::string>& settings);

// Copies a model folder, whole or not at all.
void copy_model(const fs::path& from, const fs::path& to);

}  // namespace malssi
