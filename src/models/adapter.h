// Adapter: what a file adds to a model, whatever its format and method: parts under Hugging Face's names, rows in their order.
// Model::attach() puts it into the layers.
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
  Tensor magnitude = {};  // DoRA: [outputs]; undefined: plain LoRA
};

// IA3: factors of a matrix's inputs or outputs.
struct ScalingPart {
  std::string matrix;
  Tensor factors;
  bool of_inputs = false;
};

// A norm's weights in place of the base's, as Hugging Face's files have them.
struct NormPart {
  std::string norm;  // "model.layers.0.input_layernorm"
  Tensor weight;     // [width]
  Tensor bias;       // [width], or undefined
};

// A bottleneck behind a matrix: see nn/changes.h.
struct BottleneckPart {
  std::string matrix;
  Tensor down, down_bias, up, up_bias;
  BottleneckActivation activation = BottleneckActivation::relu;
  float scale = 1;
};

// What methods other than LoRA add.
struct AdapterExtras {
  std::vector<ScalingPart> scalings = {};
  std::vector<NormPart> norms = {};
  std::vector<BottleneckPart> bottlenecks = {};
  Tensor prompt = {};  // prompt tuning: [V, width], embeddings in front of every sequence
  Tensor prefix = {};  // prefix tuning: [V, layers 2 kv_heads head_dim], see ops/virtual_rows.h

  bool empty() const {
    return scalings.empty() && norms.empty() && bottlenecks.empty() && !prompt && !prefix;
  }
};

struct Adapter {
  std::string where;  // its file, for messages
  std::vector<AdapterPart> parts;
  AdapterExtras extras = {};
};

class Model;

// zero: A uniform within 1 / sqrt(inputs) (Kaiming's with a = sqrt 5), B zero, so that it changes nothing yet. principal: scale
// B A is the part of the matrix that its largest singular values make (PiSSA: Meng, Wang, Zhang 2024), half of each in A and in B.
enum class LowRankStart { zero, principal };

struct FreshAdapter {
  int64_t rank = 8;
  float scale = 1;
  std::function<bool(const std::string& matrix)> is_target;  // by names as in AdapterPart
  uint64_t seed = 1;
  bool has_magnitudes = false;  // DoRA: they begin as the lengths of the matrices' rows
  LowRankStart start = LowRankStart::zero;
};
// In the model's own precision. Error: no matrix of the model is a target; a principal part of more than a matrix has.
Adapter make_adapter(Model& model, const FreshAdapter& fresh);
// The same matrices with scales of the other sign: what a principal part takes away from a base that stays as it is.
Adapter opposite_of(const Adapter& adapter);

// Makes an attached adapter what is trained: all that it has wants gradients, and this part of low-rank matrices' inputs is
// dropped. Returns it, named "model.layers.0.self_attn.q_proj.lora_A", "... .lora_B", as PEFT names what other methods have, each
// with one part, whose name is that of PEFT's tensor; valid until the next adapter is attached.
std::vector<Parameter> train_adapter(Model& model, int64_t adapter, float dropout);
// From now on no weight of the model itself gets a gradient.
void freeze(Model& model);
// Of the model's weights and of all its adapters.
void clear_gradients(Model& model);

// A matrix's name without what the classes around a bare model put before it ("base_model.model.model.layers.0.mlp.up_proj"
// and "layers.0.mlp.up_proj" are the same).
std::string bare_name(std::string_view name);

}  // namespace malssi
