// Llama (Touvron et al. 2023; Dubey et al. 2024) and its nearest kin: RMSNorm before each part, rotary positions, SwiGLU, grouped-query
// attention. Mistral (Jiang et al. 2023) adds a sliding window, SmolLM3 layers without positions.
#include "models/family.h"

namespace malssi {
namespace {

Design design(const ModelConfig& c) {
  return {.qkv_bias = c.bias, .output_bias = c.bias, .mlp_bias = c.bias, .interleaved = true};
}

ModelConfig from_hf(const Json& json, std::string_view where) {
  ModelConfig c = llama_keys(json, where);
  REQUIRE(
      c.bias == get_or<bool>(json, "mlp_bias", false, where), where,
      ": attention_bias and mlp_bias differ; this program reads models where both are the same");
  return c;
}

Json to_hf(const ModelConfig& c) {
  Json json = llama_json(c);
  json["mlp_bias"] = c.bias;
  return json;
}

ModelConfig mistral_from_hf(const Json& json, std::string_view where) {
  ModelConfig c = llama_keys(json, where);
  c.windows = windows_from(json, c.layers, 1, where);
  return c;
}

Json mistral_to_hf(const ModelConfig& c) {
  Json json = llama_json(c);
  put_windows(c.windows, json);
  return json;
}

ModelConfig smollm3_from_hf(const Json& json, std::string_view where) {
  ModelConfig c = from_hf(json, where);
  c.no_rope_interval = get_or<int64_t>(json, "no_rope_layer_interval", 4, where);
  if (!json.contains("no_rope_layers") || json["no_rope_layers"].is_null()) return c;
  const auto rotary = get<std::vector<int64_t>>(json, "no_rope_layers", where);  // 1: has positions
  for (size_t i = 0; i < rotary.size(); ++i)
    REQUIRE(c.no_rope_interval > 0 &&
                (rotary[i] == 0) == ((static_cast<int64_t>(i) + 1) % c.no_rope_interval == 0),
            where, ": no_rope_layers does not repeat every ", c.no_rope_interval, " layers");
  return c;
}

Json smollm3_to_hf(const ModelConfig& c) {
  Json json = to_hf(c);
  std::vector<int64_t> rotary;
  for (int64_t i = 0; i < c.layers; ++i)
    rotary.push_back(c.no_rope_interval > 0 && (i + 1) % c.no_rope_interval == 0 ? 0 : 1);
  json["no_rope_layer_interval"] = c.no_rope_interval;
  json["no_rope_layers"] = rotary;
  return json;
}

void complete_smollm3(ModelConfig& c) { c.no_rope_interval = 4; }

}  // namespace

const Family kLlama = {"llama", "LlamaForCausalLM", "llama", "silu", design, from_hf, to_hf};
const Family kMistral = {"mistral", "MistralForCausalLM", "llama",      "silu",
                         design,    mistral_from_hf,      mistral_to_hf};
const Family kSmolLm3 = {"smollm3", "SmolLM3ForCausalLM", "smollm3",     "silu",
                         design,    smollm3_from_hf,      smollm3_to_hf, complete_smollm3};

}  // namespace malssi
