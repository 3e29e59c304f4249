// The readers behind open_adapter().
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "io/adapter_file.h"
#include "io/tensor_file.h"

namespace malssi {

inline constexpr std::string_view kPeftConfig = "adapter_config.json";
inline constexpr std::string_view kPeftPrefix = "base_model.model.";  // of every tensor's name
inline constexpr const char* kPeftDigest = "base_digest";  // in the weights' metadata: ours
inline constexpr std::string_view kPeftScore = "score";    // a reward model's value head
inline constexpr std::string_view kPeftWeights = "adapter_model.safetensors";

AdapterFile open_peft_adapter(const fs::path& folder);
// The folder's file of tensors: kPeftWeights, or torch.save()'s adapter_model.bin. Error: there is none.
fs::path peft_weights(const fs::path& folder);
// A head's published name ("classifier.dense.weight") in what an adapter calls a tensor, after kPeftPrefix; empty: of no head.
std::string head_name(std::string_view name);
// Gives the model's value head or classifier the adapter's numbers. Error: it has none, or one of another shape.
void fit_head(const AdapterFile& file, Model& model);
// The tensors of a folder of any kind but LoRA. config: adapter_config.json; where: its file, for messages.
AdapterExtras read_extras(AdapterKind kind, const Json& config, const TensorFile& weights,
                          const std::string& where);
// Number formats that adapters' tensors have: F32, F16, BF16.
Tensor borrow_numbers(const TensorFile& file, const Entry& entry, int rank);
AdapterFile open_gguf_adapter(const fs::path& file);
bool is_gguf_adapter(const fs::path& file);
// GGUF's parts under Hugging Face's names.
std::vector<AdapterPart> parts_from_gguf(const AdapterFile& file, Model& model);
// general.architecture of the model's files. Error: GGUF has none for it.
std::string gguf_architecture(const Model& model);
// "blk.0.attn_q" of "blk.0.attn_q.weight".
std::string without_weight(const std::string& name);

}  // namespace malssi
