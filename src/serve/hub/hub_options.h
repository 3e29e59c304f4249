// What a server is to serve: models and adapters by name, and how much of the machine they may take.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "kernels/dtype.h"

namespace malssi {

struct ModelSpec {
  std::string name;
  fs::path path;  // a Hugging Face folder, a run, or a GGUF file
};

struct AdapterSpec {
  std::string name;
  fs::path path;
  std::string base = {};  // a model's name; empty: the first model
};

enum class Loading { at_start, on_request };

struct HubOptions {
  std::vector<ModelSpec> models = {};  // the first answers requests that name none
  std::vector<AdapterSpec> adapters = {};
  int64_t slots = 8;         // answers of a model in the making at once
  int64_t context = 0;       // tokens of prompt and answer; 0: the model's, at most 8192
  int64_t queue = 64;        // requests that may wait beside those that run
  int64_t memory_limit = 0;  // bytes of all loaded models, with their keys and values; 0: none
  double time_limit = 600;   // seconds of one answer
  std::optional<DType> compute = {};  // as load_model() takes it
  std::optional<DType> cache = {};    // what keys and values are kept in
  Loading loading = Loading::at_start;
  std::function<void(const std::string&)> log = {};  // told what clients are not
};

// "PATH" or "NAME=PATH"; without a name that of the file or folder (of a run's model/ the run's). Error: a name that is empty,
// longer than 128 bytes, or has a colon or characters that do not print.
ModelSpec parse_model_spec(const std::string& text);
// "PATH", "NAME=PATH" or "BASE:NAME=PATH".
AdapterSpec parse_adapter_spec(const std::string& text);
// Error: no models, one name twice, a path that is not there, an adapter of an unknown model, or a limit out of range.
void check_hub_options(const HubOptions& options);

}  // namespace malssi
