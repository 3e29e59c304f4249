// Phi-3 (Abdin et al. 2024): Llama with q, k and v in one matrix, gates and ups in another, and LongRoPE for its long contexts.
#include "models/family.h"

namespace malssi {
namespace {

Design design(const ModelConfig&) {
  return {.qkv = "self_attn.qkv_proj", .gate_up = "mlp.gate_up_proj"};
}

ModelConfig from_hf(const Json& json, std::string_view where) {
  ModelConfig c = llama_keys(json, where);
  REQUIRE(get_or<double>(json, "partial_rotary_factor", 1.0, where) == 1.0, where,
          ": partial_rotary_factor is not 1; this program rotates whole heads");
  c.windows = windows_from(json, c.layers, 1, where);
  return c;
}

Json to_hf(const ModelConfig& c) {
  Json json = llama_json(c);
  put_windows(c.windows, json);
  if (json.contains("rope_scaling")) {  // of Phi-3's own keys
    json["rope_scaling"]["type"] = json["rope_scaling"]["rope_type"];
  }
  return json;
}

}  // namespace

const Family kPhi3 = {"phi3", "Phi3ForCausalLM", "phi3", "silu", design, from_hf, to_hf};

}  // namespace malssi
