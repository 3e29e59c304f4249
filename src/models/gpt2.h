// GPT-2 (Radford et al. 2019): learned positions, LayerNorm before each part, GELU; nanoGPT's variant without biases too.
#pragma once

#include "models/model.h"

namespace malssi {

std::unique_ptr<Model> make_gpt2(const ModelConfig& config, DType compute,
                                 std::optional<uint64_t> seed);
// Keys of Hugging Face's GPT2Config, and "bias" (ours; false: no biases, and files hold zeros for them).
ModelConfig gpt2_config(const Json& json, std::string_view where);

}  // namespace malssi
