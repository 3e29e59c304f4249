// EXAONE 3 (LG AI Research 2024): Llama under names of its own. EXAONE 4 (2025): norms after each part instead of before, norms of
// queries and keys, and in its larger model windows in three layers of four, which alone have rotary positions.
#include "models/family.h"

namespace malssi {
namespace {

Design exaone(const ModelConfig&) {
  return {.embedding = "transformer.wte",
          .norm = "transformer.ln_f",
          .layers = "transformer.h",
          .attention_norms = {.before = "ln_1"},
          .mlp_norms = {.before = "ln_2"},
          .q = "attn.attention.q_proj",
          .k = "attn.attention.k_proj",
          .v = "attn.attention.v_proj",
          .output = "attn.attention.out_proj",
          .gate = "mlp.c_fc_0",
          .up = "mlp.c_fc_1",
          .down = "mlp.c_proj"};
}

Design exaone4(const ModelConfig&) {
  return {.attention_norms = {.after_output = "post_attention_layernorm"},
          .mlp_norms = {.after_output = "post_feedforward_layernorm"},
          .q_norm = "self_attn.q_norm",
          .k_norm = "self_attn.k_norm"};
}

// config.json's own names of three keys, and Llama's.
constexpr std::pair<const char*, const char*> kRenamed[] = {{"num_layers", "num_hidden_layers"},
                                                            {"layer_norm_epsilon", "rms_norm_eps"},
                                                            {"activation_function", "hidden_act"}};

ModelConfig exaone_from_hf(const Json& json, std::string_view where) {
  Json renamed = json;
  for (const auto& [own, usual] : kRenamed)
    if (json.contains(own)) renamed[usual] = json[own];
  return llama_keys(renamed, where);
}

Json exaone_to_hf(const ModelConfig& c) {
  Json json = llama_json(c);
  for (const auto& [own, usual] : kRenamed) json[own] = json[usual];
  return json;
}

ModelConfig exaone4_from_hf(const Json& json, std::string_view where) {
  ModelConfig c = llama_keys(json, where);
  c.windows = windows_from(json, c.layers, 4, where);
  if (!c.windows.empty()) c.no_rope_interval = 4;
  for (size_t i = 0; i < c.windows.size(); ++i)
    REQUIRE((c.windows[i] == 0) == ((i + 1) % 4 == 0), where,
            ": the layers with a window are not three of four");
  return c;
}

Json exaone4_to_hf(const ModelConfig& c) {
  Json json = llama_json(c);
  put_windows(c.windows, json);
  return json;
}

void complete_exaone4(ModelConfig& c) {
  if (!c.windows.empty()) c.no_rope_interval = 4;
}

}  // namespace

const Family kExaone = {"exaone", "ExaoneForCausalLM", "exaone",    "silu",
                        exaone,   exaone_from_hf,      exaone_to_hf};
const Family kExaone4 = {"exaone4", "Exaone4ForCausalLM", "exaone4",     "silu",
                         exaone4,   exaone4_from_hf,      exaone4_to_hf, complete_exaone4};

}  // namespace malssi
