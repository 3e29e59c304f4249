// Llama (Touvron et al. 2023) and its kin: RMSNorm before each part, rotary positions, SwiGLU, grouped-query attention.
#pragma once

#include "models/model.h"

namespace malssi {

std::unique_ptr<Model> make_llama(const ModelConfig& config, DType compute,
                                  std::optional<uint64_t> seed);
// Keys of Hugging Face's LlamaConfig.
ModelConfig llama_config(const Json& json, std::string_view where);

}  // namespace malssi
