#include "train/tune/lora.h"

#include "base/error.h"
#include "base/lock.h"
#include "train/run/run_folder.h"
#include "train/tune/adapter_run.h"
#include "train/tune/lora_student.h"

namespace malssi {
namespace {

RunResult tune(LoraConfig& config, const ConfigSchema& schema, const std::function<void()>& begin,
               Console& console) {
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
                            .packed = lora.packed_type(),
                            .peft = peft_settings(lora, config.sft.model),
                            .summary = "An adapter that follows instructions"},
                           begin, console);
}

}  // namespace

RunResult run_lora(LoraConfig config, Console& console) {
  ConfigSchema schema(config);
  schema.check();
  const fs::path run = config.train.out;
  const FolderLock lock(run);
  check_no_run(run);
  settle(config.train, {&config.sft.model, &config.sft.val}, config.sft.data);
  const auto begin = [&] { begin_run(run, "lora", schema.to_toml()); };
  return tune(config, schema, begin, console);
}

RunResult resume_lora(const fs::path& run, const std::vector<std::string>& settings,
                      Console& console) {
  LoraConfig config;
  ConfigSchema schema(config);
  reload_run(schema, config.train, run, settings);
  const auto begin = begin_again(schema, run, settings);
  return tune(config, schema, begin, console);
}

}  // namespace malssi
