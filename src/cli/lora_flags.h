// --lora, wherever a model is loaded: adapters to use with it.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "io/adapter_file.h"
#include "io/model_folder.h"

namespace malssi {

struct LoraChoice {
  fs::path path;
  double weight = 1;
};

// "PATH" or "PATH:WEIGHT"; a path may have colons of its own. UsageError: a weight that is no finite number.
LoraChoice parse_adapter(const std::string& text);

class LoraFlags {
 public:
  // Registers the flag; this must live until the command has run.
  void add_to(CLI::App& command);
  // What was asked for. UsageError: a weight that is no finite number.
  std::vector<LoraChoice> choices() const;
  // Attaches all to the model, to act together. Error: an adapter that does not fit it.
  AdapterMix attach(Model& model) const;
  // A base model without a chat template takes that of the first adapter which has one.
  void lend_chat(LoadedModel& loaded) const;

 private:
  std::vector<std::string> texts_;
};

}  // namespace malssi
