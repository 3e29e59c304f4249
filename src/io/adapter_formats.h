// The readers behind open_adapter().
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "io/adapter_file.h"

namespace malssi {

inline constexpr std::string_view kPeftConfig = "adapter_config.json";
inline constexpr std::string_view kPeftPrefix = "base_model.model.";  // of every tensor's name
inline constexpr std::string_view kPeftScore = "score";               // a reward model's value head
inline constexpr std::string_view kPeftWeights = "adapter_model.safetensors";

AdapterFile open_peft_adapter(const fs::path& folder);
AdapterFile open_gguf_adapter(const fs::path& file);
bool is_gguf_adapter(const fs::path& file);
// GGUF's parts under Hugging Face's names.
std::vector<AdapterPart> parts_from_gguf(const AdapterFile& file, Model& model);
// general.architecture of the model's files. Error: GGUF has none for it.
std::string gguf_architecture(const Model& model);
// "blk.0.attn_q" of "blk.0.attn_q.weight".
std::string without_weight(const std::string& name);

}  // namespace malssi
