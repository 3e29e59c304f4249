#include "train/tune/sft.h"

#include "train/run/new_run.h"
#include "train/tune/chat_run.h"
#include "train/tune/frozen_layers.h"
#include "train/tune/student.h"

namespace malssi {
namespace {

RunResult tune(SftConfig& config, const ConfigSchema& schema,
               const std::optional<fs::path>& checkpoint, const std::function<void()>& begin,
               Console& console) {
  const Student student = load_tuned(config.sft, checkpoint, compute_type(config.train));
  Trained trained = chosen_weights(student, config.sft, checkpoint);
  return run_chats({.data = config.sft,
                    .train = config.train,
                    .optim = config.optim,
                    .log = config.log,
                    .schema = schema,
                    .model = *student.model,
                    .tokenizer = *student.tokenizer,
                    .chat = student.chat,
                    .trained = std::move(trained),
                    .summary = "Tuned to follow instructions"},
                   begin, console);
}

}  // namespace

RunResult run_sft(SftConfig config, Console& console) {
  const auto settle_paths = [&] {
    settle(config.train, {&config.sft.model, &config.sft.val}, config.sft.data);
  };
  return start_run(config, "sft", settle_paths, tune, console);
}

RunResult resume_sft(const fs::path& run, const std::vector<std::string>& settings,
                     Console& console) {
  SftConfig config;
  return go_on_with_run(config, run, settings, tune, console);
}

}  // namespace malssi
