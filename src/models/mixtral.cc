// Mixtral (Jiang et al. 2024): Mistral with a mixture of experts in place of the MLP.
#include "models/family.h"

namespace malssi {
namespace {

Design design(const ModelConfig&) {
  return {.router = "block_sparse_moe.gate",
          .experts = "block_sparse_moe.experts",
          .expert_gate = "w1",
          .expert_up = "w3",
          .expert_down = "w2",
          .interleaved = true};
}

ModelConfig from_hf(const Json& json, std::string_view where) {
  ModelConfig c = llama_keys(json, where);
  c.windows = windows_from(json, c.layers, 1, where);
  c.experts = get<int64_t>(json, "num_local_experts", where);
  c.experts_used = get_or<int64_t>(json, "num_experts_per_tok", 2, where);
  c.expert_hidden = c.hidden;
  return c;
}

Json to_hf(const ModelConfig& c) {
  Json json = llama_json(c);
  put_windows(c.windows, json);
  json["intermediate_size"] = c.expert_hidden;
  json["num_local_experts"] = c.experts;
  json["num_experts_per_tok"] = c.experts_used;
  return json;
}

void complete(ModelConfig& c) {
  if (c.expert_hidden == 0) c.expert_hidden = c.hidden;
}

}  // namespace

const Family kMixtral = {"mixtral", "MixtralForCausalLM", "llama", "silu", design, from_hf, to_hf,
                         complete};

}  // namespace malssi
