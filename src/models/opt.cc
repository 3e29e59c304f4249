// OPT (Zhang et al. 2022): learned positions that begin at row 2, LayerNorm before each part (after its sum in the 350M model), ReLU.
#include "models/decoder.h"
#include "models/family.h"

namespace malssi {
namespace {

constexpr int64_t kFirstPosition = 2;

Design design(const ModelConfig& c) {
  return {.embedding = "model.decoder.embed_tokens",
          .positions = "model.decoder.embed_positions",
          .norm = "model.decoder.final_layer_norm",
          .layers = "model.decoder.layers",
          .attention_norms = {.before = "self_attn_layer_norm"},
          .mlp_norms = {.before = "final_layer_norm"},
          .output = "self_attn.out_proj",
          .gate = {},
          .up = "fc1",
          .down = "fc2",
          .norm_kind = NormKind::layer,
          .activation = activation_named(c.activation),
          .norm_bias = true,
          .qkv_bias = c.bias,
          .output_bias = c.bias,
          .mlp_bias = c.bias,
          .first_position = kFirstPosition};
}

ModelConfig from_hf(const Json& json, std::string_view where) {
  ModelConfig c;
  c.vocab = get<int64_t>(json, "vocab_size", where);
  c.width = get<int64_t>(json, "hidden_size", where);
  c.hidden = get<int64_t>(json, "ffn_dim", where);
  c.layers = get<int64_t>(json, "num_hidden_layers", where);
  c.heads = get<int64_t>(json, "num_attention_heads", where);
  c.context = get<int64_t>(json, "max_position_embeddings", where);
  c.activation = get_or<std::string>(json, "activation_function", "relu", where);
  c.dropout = get_or<double>(json, "dropout", 0.0, where);
  c.tied = get_or<bool>(json, "tie_word_embeddings", true, where);
  c.bias = get_or<bool>(json, "enable_bias", true, where);
  REQUIRE(get_or<bool>(json, "do_layer_norm_before", true, where) &&
              get_or<int64_t>(json, "word_embed_proj_dim", c.width, where) == c.width,
          where, ": norms after the sum and projected embeddings (OPT-350M) are not read");
  return c;
}

Json to_hf(const ModelConfig& c) {
  return {{"vocab_size", c.vocab},
          {"hidden_size", c.width},
          {"word_embed_proj_dim", c.width},
          {"ffn_dim", c.hidden},
          {"num_hidden_layers", c.layers},
          {"num_attention_heads", c.heads},
          {"max_position_embeddings", c.context},
          {"activation_function", c.activation},
          {"dropout", c.dropout},
          {"tie_word_embeddings", c.tied},
          {"do_layer_norm_before", true},
          {"enable_bias", c.bias}};
}

}  // namespace

const Family kOpt = {"opt", "OPTForCausalLM", "", "relu", design, from_hf, to_hf};

}  // namespace malssi
