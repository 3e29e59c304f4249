#include "base/error.h"
#include "base/format.h"
#include "cli/demo/demo.h"
#include "train/pretrain/pretrain.h"
#include "train/resume.h"
#include "train/run/run_folder.h"
#include "train/tune/sft.h"

namespace malssi::demo {
namespace {

bool has_run(const fs::path& folder) { return fs::exists(run_config(folder)); }

std::string summary(const RunResult& result) {
  const LoopState& state = result.state;
  std::string line =
      concat(human_count(static_cast<double>(state.tokens)), " tokens in ", state.step, " steps");
  if (state.best_step >= 0)
    line += concat(", validation loss ", human_number(state.best_loss), " nats a token");
  return line;
}

}  // namespace

std::optional<std::string> pretrain(Demo& demo) {
  const fs::path run = demo.folder / "base", world = demo.folder / "world";
  PretrainConfig config = demo.settings.base;
  config.data.paths = {(world / "pretrain.jsonl").string()};
  config.data.val = {(world / "validation.jsonl").string()};
  config.data.cache = (demo.folder / "cache").string();
  config.tokenizer.path = (demo.folder / "tokenizer").string();
  config.train.out = run.string();
  const RunResult result =
      has_run(run) ? resume_run(run, {}, demo.console) : run_pretrain(config, demo.console);
  if (result.end == LoopEnd::interrupted) return std::nullopt;
  return summary(result);
}

std::optional<std::string> tune(Demo& demo) {
  const fs::path run = demo.folder / "tuned";
  SftConfig config = demo.settings.tuned;
  config.sft.model = (demo.folder / "base" / "model").string();
  config.sft.data = {(demo.folder / "world" / "sft.jsonl").string()};
  config.train.out = run.string();
  const RunResult result =
      has_run(run) ? resume_run(run, {}, demo.console) : run_sft(config, demo.console);
  if (result.end == LoopEnd::interrupted) return std::nullopt;
  copy_model(result.model, demo.folder / "model");
  return summary(result);
}

}  // namespace malssi::demo
