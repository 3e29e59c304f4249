// One run from a prepared model to a finished folder, the same for every method: tells what it will
// cost, goes on from the last checkpoint if there is one, trains, keeps checkpoints and the best
// weights, and writes RUN/model or RUN/adapter. SIGINT and SIGTERM end it with a checkpoint.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <string>
#include <vector>

#include "base/config.h"
#include "base/console.h"
#include "io/model_folder.h"
#include "train/run/loop.h"
#include "train/run/sampling.h"
#include "train/run/settings.h"
#include "train/run/trained.h"

namespace malssi {

struct RunPlan {
  fs::path folder;      // holds run.json and config.toml; the caller has its lock
  std::string summary;  // of what is trained, a sentence: for the report and the model card
  Json config;          // for the report
  Model& model;
  const Tokenizer& tokenizer;
  const ChatTemplate* chat = nullptr;
  Trained trained;
  Objective& objective;
  OptimSettings optim;
  TrainSettings train;
  LogSettings log;
  int64_t steps = 0;
  int64_t tokens_per_step = 0;
  int64_t context = 0;  // tokens of a sequence
  std::string loss_unit = "nats a token";
  std::function<double()> trial = {};      // seconds per token of a trial step
  std::vector<SamplePrompt> prompts = {};  // of samples, taken in turn
  bool compares_samples = false;  // the report shows what was written before beside what was after
};

struct RunResult {
  LoopEnd end = LoopEnd::finished;
  LoopState state;
  fs::path model;  // RUN/model or RUN/adapter; empty when the run was interrupted
};

// Throws Error; what was saved before stays.
RunResult train_run(const RunPlan& plan, Console& console);

// f32 or bf16, as settings and machine say.
DType compute_type(const TrainSettings& train);

// Before a run: threads, number format and paths become what will be used.
void settle(TrainSettings& train, std::initializer_list<std::string*> paths);
// Also the files of a mixture (data/mixture.h).
void settle(TrainSettings& train, std::initializer_list<std::string*> paths,
            std::vector<std::string>& mixture);
// Before one goes on: its settings, with "key=value" on top, which the run's config.toml then has from begin_again() on.
void reload_run(ConfigSchema& schema, TrainSettings& train, const fs::path& run,
                const std::vector<std::string>& settings);
std::function<void()> begin_again(const ConfigSchema& schema, const fs::path& run,
                                  const std::vector<std::string>& settings);

}  // namespace malssi
