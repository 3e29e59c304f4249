// Gemma (Gemma Team 2024): Llama with GELU gates, norms stored less 1, and embeddings scaled by the root of their width. Gemma 2 adds
// norms after each part, soft caps, and a window in every other layer; Gemma 3 (2025, its text models) has norms of queries and keys
// in place of the caps, and windows with rotary angles of their own in five layers of six.
#include <cmath>

#include "models/family.h"

namespace malssi {
namespace {

Design gemma(const ModelConfig& c) {
  return {.activation = Activation::gelu_tanh,
          .qkv_bias = c.bias,
          .output_bias = c.bias,
          .norm_added = 1,
          .embedding_scale = std::sqrt(static_cast<float>(c.width))};
}

Design gemma2(const ModelConfig& c) {
  Design design = gemma(c);
  design.attention_norms.after_output = "post_attention_layernorm";
  design.mlp_norms = {.before = "pre_feedforward_layernorm",
                      .after_output = "post_feedforward_layernorm"};
  return design;
}

Design gemma3(const ModelConfig& c) {
  Design design = gemma2(c);
  design.unused = {"vision_tower.", "multi_modal_projector.", "model.vision_tower.",
                   "model.multi_modal_projector."};
  design.q_norm = "self_attn.q_norm";
  design.k_norm = "self_attn.k_norm";
  return design;
}

ModelConfig gemma_from_hf(const Json& json, std::string_view where) {
  ModelConfig c = llama_keys(json, where);
  c.head_dim = get_or<int64_t>(json, "head_dim", 256, where);
  c.tied = get_or<bool>(json, "tie_word_embeddings", true, where);
  c.activation = "gelu_pytorch_tanh";  // earlier files say "gelu" and mean this
  return c;
}

Json gemma_to_hf(const ModelConfig& c) {
  Json json = llama_json(c);
  json["hidden_activation"] = c.activation;
  return json;
}

ModelConfig capped_from_hf(const Json& json, int64_t pattern, std::string_view where) {
  ModelConfig c = gemma_from_hf(json, where);
  c.windows = windows_from(json, c.layers, pattern, where);
  c.attention_softcap = get_or<double>(json, "attn_logit_softcapping", 0.0, where);
  c.logit_softcap = get_or<double>(json, "final_logit_softcapping", 0.0, where);
  const auto scalar = get_or<double>(json, "query_pre_attn_scalar", 256.0, where);
  REQUIRE(scalar > 0, where, ": \"query_pre_attn_scalar\" is not above 0");
  c.attention_scale = 1 / std::sqrt(scalar);
  return c;
}

Json capped_to_hf(const ModelConfig& c) {
  Json json = gemma_to_hf(c);
  const auto or_null = [](double cap) { return cap > 0 ? Json(cap) : Json(); };
  put_windows(c.windows, json);
  json["attn_logit_softcapping"] = or_null(c.attention_softcap);
  json["final_logit_softcapping"] = or_null(c.logit_softcap);
  const double scalar = c.attention_scale > 0 ? 1 / (c.attention_scale * c.attention_scale)
                                              : static_cast<double>(c.head_dim);
  json["query_pre_attn_scalar"] = std::round(scalar * 1e6) / 1e6;
  return json;
}

ModelConfig gemma2_from_hf(const Json& json, std::string_view where) {
  return capped_from_hf(json, 2, where);
}

// The language part of a model that also sees images names only what differs from these.
Json with_gemma3_defaults(const Json& json) {
  Json whole = {
      {"vocab_size", 262208},  {"num_attention_heads", 8},          {"num_key_value_heads", 4},
      {"head_dim", 256},       {"max_position_embeddings", 131072}, {"rope_theta", 1e6},
      {"sliding_window", 4096}};
  for (const auto& [key, value] : json.items()) whole[key] = value;
  return whole;
}

ModelConfig gemma3_from_hf(const Json& json, std::string_view where) {
  ModelConfig c = capped_from_hf(with_gemma3_defaults(json), 6, where);
  c.rope_theta_local = get_or<double>(json, "rope_local_base_freq", 10000.0, where);
  return c;
}

Json gemma3_to_hf(const ModelConfig& c) {
  Json json = capped_to_hf(c);
  json["rope_local_base_freq"] = c.rope_theta_local;
  return json;
}

// GGUF's keys hold no scale: the largest models have that of width / heads.
void complete_scale(ModelConfig& c, int64_t layers_of_largest) {
  if (c.layers == layers_of_largest && c.attention_scale == 0)
    c.attention_scale = 1 / std::sqrt(static_cast<double>(c.width / c.heads));
}

void complete_gemma2(ModelConfig& c) { complete_scale(c, 46); }

void complete_gemma3(ModelConfig& c) {
  complete_scale(c, 62);
  if (c.rope_theta_local == 0) c.rope_theta_local = 10000;
}

}  // namespace

const Family kGemma = {"gemma", "GemmaForCausalLM", "gemma",    "gelu_pytorch_tanh",
                       gemma,   gemma_from_hf,      gemma_to_hf};
const Family kGemma2 = {"gemma2", "Gemma2ForCausalLM", "gemma2",     "gelu_pytorch_tanh",
                        gemma2,   gemma2_from_hf,      capped_to_hf, complete_gemma2};
const Family kGemma3 = {"gemma3_text", "Gemma3ForCausalLM", "gemma3",     "gelu_pytorch_tanh",
                        gemma3,        gemma3_from_hf,      gemma3_to_hf, complete_gemma3};

}  // namespace malssi
