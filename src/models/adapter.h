// Adapter: what a LoRA file adds to a model's matrices, whatever its format: parts under Hugging Face's names, rows in their
// order. Model::attach() puts it into the layers.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "nn/parameter.h"
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

class Model;

// A fresh adapter: A uniform within 1 / sqrt(inputs) (Kaiming's with a = sqrt 5), B zero, so that it changes nothing yet.
struct FreshAdapter {
  int64_t rank = 8;
  float scale = 1;
  std::function<bool(const std::string& matrix)> is_target;  // by names as in AdapterPart
  uint64_t seed = 1;
};
// In the model's own precision. Error: no matrix of the model is a target.
Adapter make_adapter(Model& model, const FreshAdapter& fresh);

// Makes an attached adapter what is trained: its matrices want gradients, and this part of their inputs is dropped. Returns them,
// named "model.layers.0.self_attn.q_proj.lora_A", "... .lora_B"; valid until the next adapter is attached.
std::vector<Parameter> train_adapter(Model& model, int64_t adapter, float dropout);
// From now on no weight of the model itself gets a gradient.
void freeze(Model& model);

// A matrix's name without what the classes around a bare model put before it ("base_model.model.model.layers.0.mlp.up_proj"
// and "layers.0.mlp.up_proj" are the same).
std::string bare_name(std::string_view name);

}  // namespace malssi
