// Design: what a family's transformer is made of, and Hugging Face's names of its parts. Decoder (models/decoder.h) builds it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kernels/table.h"
#include "nn/layers.h"

namespace malssi {

enum class Activation { silu, gelu_tanh, gelu, relu };

// Norms around one half of a block, y = after_sum(x + after_output(f(before(x)))); one without a name is not there.
struct HalfNorms {
  std::string before = {}, after_output = {}, after_sum = {};
};

// A part without a name is not there. Names of a block's parts follow "{layers}.{number}.".
struct Design {
  std::string embedding = "model.embed_tokens", positions = {}, token_types = {},
              embedding_norm = {}, norm = "model.norm", head = "lm_head", layers = "model.layers";
  HalfNorms attention_norms = {.before = "input_layernorm"};
  HalfNorms mlp_norms = {.before = "post_attention_layernorm"};
  // One fused matrix where qkv has a name, else three.
  std::string qkv = {}, q = "self_attn.q_proj", k = "self_attn.k_proj", v = "self_attn.v_proj",
              output = "self_attn.o_proj", q_norm = {}, k_norm = {};
  // The MLP: down(activation(gate) * up), fused where gate_up has a name; without a gate down(activation(up)).
  std::string gate_up = {}, gate = "mlp.gate_proj", up = "mlp.up_proj", down = "mlp.down_proj";
  // A mixture of experts: "{experts}.{number}." before an expert's gate, up and down.
  std::string router = {}, experts = {}, expert_gate = "gate_proj", expert_up = "up_proj",
              expert_down = "down_proj", shared_expert = "mlp.shared_expert",
              shared_gate = "mlp.shared_expert_gate";

  NormKind norm_kind = NormKind::rms;
  Activation activation = Activation::silu;
  bool norm_bias = false, qkv_bias = false, output_bias = false, mlp_bias = false;
  bool transposed = false;   // matrices of Hugging Face's files
  bool interleaved = false;  // q and k in GGUF files: see WeightPart::interleaved_heads
  bool rotary = true;        // positions, where they are not learned
  float norm_added = 0;      // see WeightPart::added
  float embedding_scale = 1;
  int64_t first_position = 0;  // row of the learned positions where a sequence begins
  AttentionMask mask = AttentionMask::causal;
  std::vector<std::string> unused =
      {};  // beginnings of the names of tensors that files may hold and nothing here needs
};

}  // namespace malssi
