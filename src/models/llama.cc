#include "models/llama.h"

#include <cmath>

#include "nn/layers.h"

namespace malssi {
namespace {

struct Block {
  Norm attention_norm, mlp_norm;
  Linear qkv, output, gate_up, down;

  Block(Rng* rng, const ModelConfig& c, DType dtype)
      : attention_norm(NormKind::rms, c.width, c.norm_eps, dtype, false),
        mlp_norm(NormKind::rms, c.width, c.norm_eps, dtype, false) {
    const double deviation = 0.02,
                 last = deviation / std::sqrt(2.0 * static_cast<double>(c.layers));
    qkv = Linear(rng, c.width, (c.heads + 2 * c.kv_heads) * c.head_dim, deviation, dtype, c.bias);
    output = Linear(rng, c.heads * c.head_dim, c.width, last, dtype, c.bias);
    gate_up = Linear(rng, c.width, 2 * c.hidden, deviation, dtype, c.bias);
    down = Linear(rng, c.hidden, c.width, last, dtype, c.bias);
  }

  Tensor operator()(const Tensor& x, int64_t layer, Context& context, const AttentionSpec& spec,
                    DropoutOptions drop) const {
    const Tensor attended = output(context.attend(layer, qkv(attention_norm(x)), spec));
    const Tensor y = residual_add(x, attended, drop);
    drop.seed = splitmix64(drop.seed);
    return residual_add(y, down(swiglu(gate_up(mlp_norm(y)))), drop);
  }

  void visit(const ModelConfig& c, int64_t layer, const ParameterVisitor& visitor) {
    const std::string name = "layers." + std::to_string(layer), file = "model." + name;
    attention_norm.visit(name + ".attention_norm", file + ".input_layernorm", visitor);
    qkv.visit(name + ".attention.qkv",
              {{file + ".self_attn.q_proj", c.heads * c.head_dim},
               {file + ".self_attn.k_proj", c.kv_heads * c.head_dim},
               {file + ".self_attn.v_proj", c.kv_heads * c.head_dim}},
              visitor);
    output.visit(name + ".attention.output", {{file + ".self_attn.o_proj", c.width}}, visitor);
    mlp_norm.visit(name + ".mlp_norm", file + ".post_attention_layernorm", visitor);
    gate_up.visit(name + ".mlp.gate_up",
                  {{file + ".mlp.gate_proj", c.hidden}, {file + ".mlp.up_proj", c.hidden}},
                  visitor);
    down.visit(name + ".mlp.down", {{file + ".mlp.down_proj", c.width}}, visitor);
  }
};

class Llama : public Model {
 public:
  Llama(const ModelConfig& config, DType dtype, std::optional<uint64_t> seed)
      : Model(config, dtype), rope_(config.context, config.head_dim, config.rope_theta) {
    std::optional<Rng> source;
    if (seed) source.emplace(*seed);
    Rng* const rng = source ? &*source : nullptr;
    embedding_ = random_table(rng, config.vocab, config.width, 0.02, dtype);
    for (int64_t i = 0; i < config.layers; ++i) blocks_.emplace_back(rng, config, dtype);
    norm_ = Norm(NormKind::rms, config.width, config.norm_eps, dtype, false);
    if (!config.tied) head_ = random_table(rng, config.vocab, config.width, 0.02, dtype);
  }

  Tensor hidden(std::span<const int32_t> ids, Context& context) override {
    const uint64_t seed = context.dropout_seed();
    const float rate = seed == 0 ? 0 : static_cast<float>(config_.dropout);
    const AttentionSpec spec{{config_.heads, config_.kv_heads, config_.head_dim}, &rope_, rate};
    Tensor x = dropout(embedding(embedding_, ids), {rate, seed});
    int64_t layer = 0;
    for (const Block& block : blocks_) {
      x = block(x, layer, context, spec,
                {rate, splitmix64(seed + 31 * static_cast<uint64_t>(layer + 1))});
      ++layer;
    }
    return norm_(x);
  }

  const Tensor& head() const override { return config_.tied ? embedding_ : head_; }

  void visit(const ParameterVisitor& visitor) override {
    visitor({"embedding.weight",
             &embedding_,
             ParameterKind::embedding,
             {{"model.embed_tokens.weight", 0, config_.vocab, false}}});
    for (size_t i = 0; i < blocks_.size(); ++i)
      blocks_[i].visit(config_, static_cast<int64_t>(i), visitor);
    norm_.visit("norm", "model.norm", visitor);
    if (!config_.tied)
      visitor({"head.weight",
               &head_,
               ParameterKind::embedding,
               {{"lm_head.weight", 0, config_.vocab, false}}});
  }

  Json hf_config() const override {
    const ModelConfig& c = config_;
    Json json = {{"architectures", {"LlamaForCausalLM"}},
                 {"model_type", "llama"},
                 {"vocab_size", c.vocab},
                 {"hidden_size", c.width},
                 {"intermediate_size", c.hidden},
                 {"num_hidden_layers", c.layers},
                 {"num_attention_heads", c.heads},
                 {"num_key_value_heads", c.kv_heads},
                 {"head_dim", c.head_dim},
                 {"max_position_embeddings", c.context},
                 {"rms_norm_eps", c.norm_eps},
                 {"rope_theta", c.rope_theta},
                 {"hidden_act", "silu"},
                 {"attention_bias", c.bias},
                 {"mlp_bias", c.bias},
                 {"tie_word_embeddings", c.tied},
                 {"torch_dtype", "float32"}};
    if (c.bos_id >= 0) json["bos_token_id"] = c.bos_id;
    if (c.eos_id >= 0) json["eos_token_id"] = c.eos_id;
    return json;
  }

 private:
  RopeTable rope_;
  Tensor embedding_, head_;
  std::vector<Block> blocks_;
  Norm norm_;
};

}  // namespace

std::unique_ptr<Model> make_llama(const ModelConfig& config, DType compute,
                                  std::optional<uint64_t> seed) {
  return std::make_unique<Llama>(config, compute, seed);
}

ModelConfig llama_config(const Json& json, std::string_view where) {
  ModelConfig c;
  c.family = "llama";
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
  c.tied = get_or<bool>(json, "tie_word_embeddings", false, where);
  c.bias = get_or<bool>(json, "attention_bias", false, where);
  c.activation = get_or<std::string>(json, "hidden_act", "silu", where);
  REQUIRE(
      c.bias == get_or<bool>(json, "mlp_bias", false, where), where,
      ": attention_bias and mlp_bias differ; this program reads models where both are the same");
  REQUIRE(!json.contains("rope_scaling") || json["rope_scaling"].is_null(), where,
          ": rope_scaling is set; this program reads Llama models without it");
  return c;
}

}  // namespace malssi
