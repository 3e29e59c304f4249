// Adapter: what a LoRA file adds to a model's matrices, whatever its format: parts under Hugging Face's names, rows in their
// order. Model::attach() puts it into the layers.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tensor/tensor.h"

namespace malssi {

struct AdapterPart {
  std::string matrix;  // "model.layers.0.self_attn.q_proj"
  Tensor a;            // [rank, inputs], of any dtype
  Tensor b;            // [outputs, rank]
  float scale = 1;
};

struct Adapter {
  std::string where;  // its file, for messages
  std::vector<AdapterPart> parts;
};

// A matrix's name without what the classes around a bare model put before it ("base_model.model.model.layers.0.mlp.up_proj"
// and "layers.0.mlp.up_proj" are the same).
std::string bare_name(std::string_view name);

}  // namespace malssi
