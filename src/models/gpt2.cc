// GPT-2 (Radford et al. 2019): learned positions, LayerNorm before each part, GELU; nanoGPT's variant without biases too. config.json
// has GPT2Config's keys, and "bias" (ours; false: no biases, and files hold zeros for them).
#include "models/decoder.h"
#include "models/family.h"

namespace malssi {
namespace {

Design design(const ModelConfig& c) {
  return {.embedding = "transformer.wte",
          .positions = "transformer.wpe",
          .norm = "transformer.ln_f",
          .layers = "transformer.h",
          .attention_norms = {.before = "ln_1"},
          .mlp_norms = {.before = "ln_2"},
          .qkv = "attn.c_attn",
          .output = "attn.c_proj",
          .gate = {},
          .up = "mlp.c_fc",
          .down = "mlp.c_proj",
          .norm_kind = NormKind::layer,
          .activation = activation_named(c.activation),
          .norm_bias = c.bias,
          .qkv_bias = c.bias,
          .output_bias = c.bias,
          .mlp_bias = c.bias,
          .transposed = true};
}

ModelConfig from_hf(const Json& json, std::string_view where) {
  ModelConfig c;
  c.vocab = get<int64_t>(json, "vocab_size", where);
  c.width = get<int64_t>(json, "n_embd", where);
  c.hidden = get_or<int64_t>(json, "n_inner", 4 * c.width, where);
  c.layers = get<int64_t>(json, "n_layer", where);
  c.heads = get<int64_t>(json, "n_head", where);
  c.context = get<int64_t>(json, "n_positions", where);
  c.norm_eps = get_or<double>(json, "layer_norm_epsilon", 1e-5, where);
  c.activation = get_or<std::string>(json, "activation_function", "gelu_new", where);
  c.dropout = get_or<double>(json, "resid_pdrop", 0.0, where);
  c.tied = get_or<bool>(json, "tie_word_embeddings", true, where);
  c.bias = get_or<bool>(json, "bias", true, where);
  return c;
}

Json to_hf(const ModelConfig& c) {
  return {{"vocab_size", c.vocab},
          {"n_embd", c.width},
          {"n_inner", c.hidden},
          {"n_layer", c.layers},
          {"n_head", c.heads},
          {"n_positions", c.context},
          {"layer_norm_epsilon", c.norm_eps},
          {"activation_function", c.activation},
          {"embd_pdrop", c.dropout},
          {"attn_pdrop", c.dropout},
          {"resid_pdrop", c.dropout},
          {"tie_word_embeddings", c.tied},
          {"bias", c.bias}};
}

void complete(ModelConfig& c) { c.bias = true; }

}  // namespace

const Family kGpt2 = {"gpt2", "GPT2LMHeadModel", "gpt2", "gelu_new",
                      design, from_hf,           to_hf,  complete};

}  // namespace malssi
