// A run that trains an adapter on conversations, whatever its method: the base model's weights stay as they are, in memory as on
// the disk; RUN/adapter is a PEFT folder (io/adapter_file.h). Loss and data are those of instruction tuning (sft.h).
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "train/tune/chat_run.h"
#include "train/tune/lora_config.h"

namespace malssi {

struct AdapterRun {
  ConversationSettings& data;
  TrainSettings& train;
  const OptimSettings& optim;
  const LogSettings& log;
  const ConfigSchema& schema;
  // The adapter that training begins with.
  std::function<Adapter(Model& model, const Tokenizer& tokenizer)> make;
  LowRankStart start = LowRankStart::zero;
  double dropout = 0;       // in front of low-rank matrices
  PackedTypes packed = {};  // of the base
  PeftSettings peft;        // without the base
  std::string summary;
};

// Begins the run, or goes on with it, as `begin` says, which is called when everything fits together. Error: the base's weights are
// not those that the run began beside.
RunResult train_adapter_run(const AdapterRun& run, const std::function<void()>& begin,
                            Console& console);

}  // namespace malssi
