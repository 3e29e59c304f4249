// Family: how models of one architecture are described in files. One file each; registry.cc lists them.
#pragma once

#include <span>
#include <string_view>

#include "models/design.h"
#include "models/model.h"

namespace malssi {

struct Family {
  std::string_view name;          // of ModelConfig::family, and model_type of config.json
  std::string_view architecture;  // of config.json
  std::string_view gguf;          // general.architecture; empty: GGUF has none
  std::string_view activation;    // the usual one
  Design (*design)(const ModelConfig&);
  ModelConfig (*from_hf)(const Json&, std::string_view where);
  Json (*to_hf)(
      const ModelConfig&);  // without architectures, model_type, torch_dtype and the ids of bos and eos
  // Fills in what GGUF's keys leave to the architecture.
  void (*complete_gguf)(ModelConfig&) = nullptr;
};

extern const Family kGpt2, kLlama, kMistral, kMixtral, kSmolLm3, kQwen2, kQwen3, kQwen2Moe,
    kQwen3Moe, kGemma, kGemma2, kGemma3, kPhi3, kOpt, kExaone, kExaone4, kBert, kRoberta,
    kDistilBert;

std::span<const Family* const> families();
// Throws Error naming what is unknown, with the known ones.
const Family& family_named(std::string_view name);

// config.json's keys as Llama has them, which most families share.
ModelConfig llama_keys(const Json& json, std::string_view where);
Json llama_json(const ModelConfig& config);
// rope_scaling, or the newer rope_parameters.
RopeScaling rope_scaling_from(const Json& json, std::string_view where);
void put_rope_scaling(const RopeScaling& scaling, Json& json);

// Windows of layers of which every `pattern`-th sees all (pattern 1: none does).
std::vector<int64_t> window_pattern(int64_t layers, int64_t window, int64_t pattern);
// The same from sliding_window and, where they are given, layer_types or sliding_window_pattern. No windows where sliding_window is null.
std::vector<int64_t> windows_from(const Json& json, int64_t layers, int64_t pattern,
                                  std::string_view where);
void put_windows(const std::vector<int64_t>& windows, Json& json);

}  // namespace malssi
