#include "train/tune/lora.h"

#include "base/error.h"
#include "train/run/new_run.h"
#include "train/tune/adapter_run.h"
#include "train/tune/lora_student.h"

namespace malssi {
namespace {

// What a checkpoint holds is read when the run goes on, not before.
RunResult tune(LoraConfig& config, const ConfigSchema& schema, const std::optional<fs::path>&,
               const std::function<void()>& begin, Console& console) {
  const LoraSettings& lora = config.lora;
  const auto make = [&](Model& model, const Tokenizer&) {
    return make_lora(model, lora, static_cast<uint64_t>(config.train.seed));
  };
  return train_adapter_run({.data = config.sft,
                            .train = config.train,
                            .optim = config.optim,
                            .log = config.log,
                            .schema = schema,
                            .make = make,
                            .start = lora.start(),
                            .dropout = lora.dropout,
                            .packed = lora.packed(),
                            .peft = peft_settings(lora, config.sft.model),
                            .summary = "An adapter that follows instructions"},
                           begin, console);
}

}  // namespace

RunResult run_lora(LoraConfig config, Console& console) {
  const auto settle_paths = [&] {
    settle(config.train, {&config.sft.model, &config.sft.val}, config.sft.data);
  };
  return start_run(config, "lora", settle_paths, tune, console);
}

RunResult resume_lora(const fs::path& run, const std::vector<std::string>& settings,
                      Console& console) {
  LoraConfig config;
  return go_on_with_run(config, run, settings, tune, console);
}

}  // namespace malssi
