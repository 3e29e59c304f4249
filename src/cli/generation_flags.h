// The flags that `generate` and `chat` share: which model, and how to choose tokens.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/lora_flags.h"
#include "cli/sampling_flags.h"
#include "infer/reply.h"
#include "io/model_folder.h"

namespace malssi {

class GenerationFlags {
 public:
  // Registers the flags; this must live until the command has run.
  void add_to(CLI::App& command);

  // Loads --model in the precision of --dtype, with the adapters of --lora, and with --template in place of the folder's own.
  LoadedModel load() const;
  // The folder's defaults, with the flags that were given in their place. Without --seed the seed is drawn anew each time.
  GenerateOptions options(const LoadedModel& loaded, bool for_chat) const;
  // The same for a model behind another server.
  RemoteOptions remote_options() const;
  // What --cache-type keeps keys and values in; none: as exact as the weights.
  std::optional<DType> cache_type() const { return cache_type_; }
  const std::string& model() const { return model_; }
  // Tokens to keep for prompt and answer together: --context, else as many as wanted; never more than the model's.
  int64_t context_of(const LoadedModel& loaded, int64_t wanted) const;

 private:
  std::string model_;
  std::string dtype_ = "auto";
  std::string template_;
  std::optional<int64_t> context_;
  std::optional<DType> cache_type_;
  std::optional<int64_t> max_tokens_;
  SamplingFlags sampling_;
  LoraFlags lora_;
  std::vector<std::string> stop_;
};

// f32, bf16, or for "auto" what this machine computes fastest.
std::optional<DType> compute_dtype(const std::string& name);  // none: auto
// The choices of --dtype.
extern const std::vector<std::string> kComputeDtypes;

}  // namespace malssi
