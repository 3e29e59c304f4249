#include "base/error.h"
#include "base/format.h"
#include "cli/demo/demo.h"
#include "cli/demo/training.h"
#include "train/pretrain/pretrain.h"
#include "train/tune/sft.h"

namespace malssi::demo {

std::string summary_of(const RunResult& result) {
  const LoopState& state = result.state;
  std::string line =
      concat(human_count(static_cast<double>(state.tokens)), " tokens in ", state.step, " steps");
  if (state.best_step >= 0)
    line += concat(", validation loss ", human_number(state.best_loss), " nats a token");
  return line;
}

std::optional<std::string> pretrain(Demo& demo) {
  const fs::path world = demo.folder / "world";
  PretrainConfig config = demo.settings.base;
  config.data.paths = {(world / "pretrain.jsonl").string()};
  config.data.val = {(world / "validation.jsonl").string()};
  config.data.cache = (demo.folder / "cache").string();
  config.tokenizer.path = (demo.folder / "tokenizer").string();
  config.train.out = (demo.folder / "base").string();
  const auto result = train_or_resume(config, run_pretrain, demo.console);
  if (!result) return std::nullopt;
  return summary_of(*result);
}

std::optional<std::string> tune(Demo& demo) {
  SftConfig config = demo.settings.tuned;
  config.sft.model = (demo.folder / "base" / "model").string();
  config.sft.data = {(demo.folder / "world" / "sft.jsonl").string()};
  config.train.out = (demo.folder / "tuned").string();
  const auto result = train_or_resume(config, run_sft, demo.console);
  if (!result) return std::nullopt;
  copy_model(result->model, demo.folder / "model");
  return summary_of(*result);
}

}  // namespace malssi::demo
