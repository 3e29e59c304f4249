// Qwen2 (Yang et al. 2024): Llama with biases of q, k and v. Qwen3 (Yang et al. 2025): without them, with norms of queries and keys.
// Both with mixtures of experts, Qwen2's with one more expert for all tokens.
#include "models/family.h"

namespace malssi {
namespace {

Design qwen2(const ModelConfig&) { return {.qkv_bias = true}; }

Design qwen3(const ModelConfig& c) {
  return {.q_norm = "self_attn.q_norm",
          .k_norm = "self_attn.k_norm",
          .qkv_bias = c.bias,
          .output_bias = c.bias};
}

Design with_experts(Design design) {
  design.router = "mlp.gate";
  design.experts = "mlp.experts";
  return design;
}

Design qwen2_moe(const ModelConfig& c) { return with_experts(qwen2(c)); }
Design qwen3_moe(const ModelConfig& c) { return with_experts(qwen3(c)); }

// The layers from max_window_layers on have the window, where it is used at all.
std::vector<int64_t> windows(const Json& json, int64_t layers, std::string_view where) {
  if (!get_or<bool>(json, "use_sliding_window", false, where)) return {};
  std::vector<int64_t> windows = windows_from(json, layers, 1, where);
  if (json.contains("layer_types")) return windows;
  const auto first = get_or<int64_t>(json, "max_window_layers", layers, where);
  for (int64_t i = 0; i < std::min(first, static_cast<int64_t>(windows.size())); ++i)
    windows[static_cast<size_t>(i)] = 0;
  return windows;
}

ModelConfig from_hf(const Json& json, std::string_view where) {
  ModelConfig c = llama_keys(json, where);
  c.windows = windows(json, c.layers, where);
  return c;
}

Json to_hf(const ModelConfig& c) {
  Json json = llama_json(c);
  put_windows(c.windows, json);
  json["use_sliding_window"] = !json["sliding_window"].is_null();
  return json;
}

ModelConfig moe_from_hf(const Json& json, std::string_view where) {
  ModelConfig c = from_hf(json, where);
  REQUIRE(get_or<int64_t>(json, "decoder_sparse_step", 1, where) == 1 &&
              get_or<std::vector<int64_t>>(json, "mlp_only_layers", {}, where).empty(),
          where, ": some layers have no experts; this program reads models where all have them");
  c.experts = get<int64_t>(json, "num_experts", where);
  c.experts_used = get<int64_t>(json, "num_experts_per_tok", where);
  c.expert_hidden = get<int64_t>(json, "moe_intermediate_size", where);
  c.shared_hidden = get_or<int64_t>(json, "shared_expert_intermediate_size", 0, where);
  c.renormalised = get_or<bool>(json, "norm_topk_prob", false, where);
  return c;
}

Json moe_to_hf(const ModelConfig& c) {
  Json json = to_hf(c);
  json["num_experts"] = c.experts;
  json["num_experts_per_tok"] = c.experts_used;
  json["moe_intermediate_size"] = c.expert_hidden;
  if (c.shared_hidden > 0) json["shared_expert_intermediate_size"] = c.shared_hidden;
  json["norm_topk_prob"] = c.renormalised;
  json["decoder_sparse_step"] = 1;
  return json;
}

void complete_qwen2_moe(ModelConfig& c) { c.renormalised = false; }

}  // namespace

const Family kQwen2 = {"qwen2", "Qwen2ForCausalLM", "qwen2", "silu", qwen2, from_hf, to_hf};
const Family kQwen3 = {"qwen3", "Qwen3ForCausalLM", "qwen3", "silu", qwen3, from_hf, to_hf};
const Family kQwen2Moe = {"qwen2_moe", "Qwen2MoeForCausalLM", "qwen2moe", "silu",
                          qwen2_moe,   moe_from_hf,           moe_to_hf,  complete_qwen2_moe};
const Family kQwen3Moe = {"qwen3_moe", "Qwen3MoeForCausalLM", "qwen3moe", "silu",
                          qwen3_moe,   moe_from_hf,           moe_to_hf};

}  // namespace malssi
