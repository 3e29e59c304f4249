// Keys of config.json that many families share.
#include "models/family.h"

namespace malssi {
namespace {

// A list of numbers, or nothing.
std::vector<double> numbers(const Json& json, std::string_view key, std::string_view where) {
  return json.contains(std::string(key)) ? get<std::vector<double>>(json, key, where)
                                         : std::vector<double>();
}

}  // namespace

std::vector<int64_t> window_pattern(int64_t layers, int64_t window, int64_t pattern) {
  std::vector<int64_t> windows;
  for (int64_t i = 0; i < layers; ++i)
    windows.push_back(pattern > 1 && (i + 1) % pattern == 0 ? 0 : window);
  return windows;
}

std::vector<int64_t> windows_from(const Json& json, int64_t layers, int64_t pattern,
                                  std::string_view where) {
  const auto window = get_or<int64_t>(json, "sliding_window", 0, where);
  REQUIRE(window >= 0 && layers >= 1 && layers <= 4096, where,
          ": \"sliding_window\" or the number of layers cannot be");
  if (window == 0) return {};
  if (json.contains("layer_types") && json["layer_types"].is_array()) {
    std::vector<int64_t> windows;
    for (const auto& type : get<std::vector<std::string>>(json, "layer_types", where)) {
      REQUIRE(type == "sliding_attention" || type == "full_attention", where,
              ": unknown attention \"", type,
              "\" in layer_types; known are sliding_attention, full_attention");
      windows.push_back(type == "sliding_attention" ? window : 0);
    }
    return windows;
  }
  if (json.contains("sliding_window_pattern") && json["sliding_window_pattern"].is_string())
    pattern = static_cast<int64_t>(json["sliding_window_pattern"].get<std::string>().size());
  else
    pattern = get_or<int64_t>(json, "sliding_window_pattern", pattern, where);
  return window_pattern(layers, window, pattern);
}

void put_windows(const std::vector<int64_t>& windows, Json& json) {
  int64_t window = 0;
  std::vector<std::string> types;
  for (const int64_t w : windows) {
    window = std::max(window, w);
    types.emplace_back(w > 0 ? "sliding_attention" : "full_attention");
  }
  json["sliding_window"] = window > 0 ? Json(window) : Json();
  if (window > 0) json["layer_types"] = types;
}

RopeScaling rope_scaling_from(const Json& json, std::string_view where) {
  const char* key = json.contains("rope_parameters") ? "rope_parameters" : "rope_scaling";
  RopeScaling s;
  if (!json.contains(key) || json[key].is_null()) return s;
  const Json rope = get<Json>(json, key, where);
  s.kind = get_or<std::string>(rope, rope.contains("rope_type") ? "rope_type" : "type", "", where);
  if (s.kind == "default") s.kind.clear();
  if (s.kind == "su") s.kind = "longrope";  // an earlier name
  REQUIRE(get_or<double>(rope, "partial_rotary_factor", 1.0, where) == 1.0, where,
          ": partial_rotary_factor is not 1; this program rotates whole heads");
  const auto context = get_or<int64_t>(json, "max_position_embeddings", 0, where);
  const auto original = get_or<int64_t>(json, "original_max_position_embeddings", context, where);
  s.original_context = get_or<int64_t>(rope, "original_max_position_embeddings", original, where);
  const double stretched =
      s.kind == "longrope" && s.original_context > 0
          ? static_cast<double>(context) / static_cast<double>(s.original_context)
          : 1;
  s.factor = get_or<double>(rope, "factor", stretched, where);
  s.low_frequency = get_or<double>(rope, "low_freq_factor", s.low_frequency, where);
  s.high_frequency = get_or<double>(rope, "high_freq_factor", s.high_frequency, where);
  s.beta_fast = get_or<double>(rope, "beta_fast", s.beta_fast, where);
  s.beta_slow = get_or<double>(rope, "beta_slow", s.beta_slow, where);
  s.attention_factor = get_or<double>(rope, "attention_factor", 0.0, where);
  s.factors = numbers(rope, "short_factor", where);
  s.long_factors = numbers(rope, "long_factor", where);
  if (s.kind.empty() || s.kind == "linear") {  // what these do not need
    s.original_context = 0;
    if (s.kind.empty()) s = {};
  }
  return s;
}

void put_rope_scaling(const RopeScaling& scaling, Json& json) {
  if (scaling.kind.empty()) return;
  RopeScaling s = scaling;
  if (s.kind == "factors") {  // config.json says it as LongRoPE of which both halves are the same
    s.kind = "longrope";
    s.long_factors = s.factors;
    s.attention_factor = 1;
    s.original_context = json["max_position_embeddings"];
  }
  Json rope = {{"rope_type", s.kind}, {"factor", s.factor}};
  if (s.original_context > 0) rope["original_max_position_embeddings"] = s.original_context;
  if (s.kind == "llama3") {
    rope["low_freq_factor"] = s.low_frequency;
    rope["high_freq_factor"] = s.high_frequency;
  }
  if (s.kind == "yarn") {
    rope["beta_fast"] = s.beta_fast;
    rope["beta_slow"] = s.beta_slow;
  }
  if (s.attention_factor > 0) rope["attention_factor"] = s.attention_factor;
  if (s.kind == "longrope") {
    rope["short_factor"] = s.factors;
    rope["long_factor"] = s.long_factors;
    json["original_max_position_embeddings"] = s.original_context;
  }
  json["rope_scaling"] = rope;
}

ModelConfig llama_keys(const Json& json, std::string_view where) {
  ModelConfig c;
  c.vocab = get<int64_t>(json, "vocab_size", where);
  c.width = get<int64_t>(json, "hidden_size", where);
  c.hidden = get<int64_t>(json, "intermediate_size", where);
  c.layers = get<int64_t>(json, "num_hidden_layers", where);
  c.heads = get<int64_t>(json, "num_attention_heads", where);
  c.kv_heads = get_or<int64_t>(json, "num_key_value_heads", c.heads, where);
  c.head_dim = get_or<int64_t>(json, "head_dim", 0, where);
  c.context = get_or<int64_t>(json, "max_position_embeddings", 2048, where);
  c.norm_eps = get_or<double>(json, "rms_norm_eps", 1e-6, where);
  c.rope_theta = get_or<double>(json, "rope_theta", 10000.0, where);
  if (json.contains("rope_parameters") && json["rope_parameters"].is_object())
    c.rope_theta = get_or<double>(json["rope_parameters"], "rope_theta", c.rope_theta, where);
  c.rope_scaling = rope_scaling_from(json, where);
  c.tied = get_or<bool>(json, "tie_word_embeddings", false, where);
  c.bias = get_or<bool>(json, "attention_bias", false, where);
  c.activation = get_or<std::string>(json, "hidden_act", "", where);
  return c;
}

Json llama_json(const ModelConfig& c) {
  Json json = {{"vocab_size", c.vocab},          {"hidden_size", c.width},
               {"intermediate_size", c.hidden},  {"num_hidden_layers", c.layers},
               {"num_attention_heads", c.heads}, {"num_key_value_heads", c.kv_heads},
               {"head_dim", c.head_dim},         {"max_position_embeddings", c.context},
               {"rms_norm_eps", c.norm_eps},     {"rope_theta", c.rope_theta},
               {"hidden_act", c.activation},     {"attention_bias", c.bias},
               {"tie_word_embeddings", c.tied}};
  put_rope_scaling(c.rope_scaling, json);
  return json;
}

}  // namespace malssi
