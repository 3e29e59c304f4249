#include "models/gpt2.h"

#include <cmath>

#include "nn/layers.h"

namespace malssi {
namespace {

struct Block {
  Norm attention_norm, mlp_norm;
  Linear qkv, output, up, down;
  GeluKind activation;

  Block(Rng* rng, const ModelConfig& c, DType dtype)
      : attention_norm(NormKind::layer, c.width, c.norm_eps, dtype, c.bias),
        mlp_norm(NormKind::layer, c.width, c.norm_eps, dtype, c.bias),
        activation(c.activation == "gelu" ? GeluKind::exact : GeluKind::tanh) {
    const double deviation = 0.02,
                 last = deviation / std::sqrt(2.0 * static_cast<double>(c.layers));
    qkv = Linear(rng, c.width, 3 * c.width, deviation, dtype, c.bias);
    output = Linear(rng, c.width, c.width, last, dtype, c.bias);
    up = Linear(rng, c.width, c.hidden, deviation, dtype, c.bias);
    down = Linear(rng, c.hidden, c.width, last, dtype, c.bias);
  }

  Tensor operator()(const Tensor& x, int64_t layer, Context& context, const AttentionSpec& spec,
                    DropoutOptions drop) const {
    const Tensor attended = output(context.attend(layer, qkv(attention_norm(x)), spec));
    const Tensor y = residual_add(x, attended, drop);
    drop.seed = splitmix64(drop.seed);
    return residual_add(y, down(gelu(up(mlp_norm(y)), activation)), drop);
  }

  void visit(const ModelConfig& c, int64_t layer, const ParameterVisitor& visitor) {
    const std::string name = "layers." + std::to_string(layer),
                      file = "transformer.h." + std::to_string(layer);
    attention_norm.visit(name + ".attention_norm", file + ".ln_1", visitor);
    qkv.visit(name + ".attention.qkv", {{file + ".attn.c_attn", 3 * c.width}}, visitor, true);
    output.visit(name + ".attention.output", {{file + ".attn.c_proj", c.width}}, visitor, true);
    mlp_norm.visit(name + ".mlp_norm", file + ".ln_2", visitor);
    up.visit(name + ".mlp.up", {{file + ".mlp.c_fc", c.hidden}}, visitor, true);
    down.visit(name + ".mlp.down", {{file + ".mlp.c_proj", c.width}}, visitor, true);
  }
};

class Gpt2 : public Model {
 public:
  Gpt2(const ModelConfig& config, DType dtype, std::optional<uint64_t> seed)
      : Model(config, dtype) {
    std::optional<Rng> source;
    if (seed) source.emplace(*seed);
    Rng* const rng = source ? &*source : nullptr;
    embedding_ = random_table(rng, config.vocab, config.width, 0.02, dtype);
    positions_ = random_table(rng, config.context, config.width, 0.02, dtype);
    for (int64_t i = 0; i < config.layers; ++i) blocks_.emplace_back(rng, config, dtype);
    norm_ = Norm(NormKind::layer, config.width, config.norm_eps, dtype, config.bias);
    if (!config.tied) head_ = random_table(rng, config.vocab, config.width, 0.02, dtype);
  }

  Tensor hidden(std::span<const int32_t> ids, Context& context) override {
    const uint64_t seed = context.dropout_seed();
    const float rate = seed == 0 ? 0 : static_cast<float>(config_.dropout);
    const AttentionSpec spec{{config_.heads, config_.kv_heads, config_.head_dim}, nullptr, rate};
    Tensor x = dropout(embedding(embedding_, ids, positions_, context.positions()), {rate, seed});
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
             {{"transformer.wte.weight", 0, config_.vocab, false}}});
    visitor({"positions.weight",
             &positions_,
             ParameterKind::embedding,
             {{"transformer.wpe.weight", 0, config_.context, false}}});
    for (size_t i = 0; i < blocks_.size(); ++i)
      blocks_[i].visit(config_, static_cast<int64_t>(i), visitor);
    norm_.visit("norm", "transformer.ln_f", visitor);
    if (!config_.tied)
      visitor({"head.weight",
               &head_,
               ParameterKind::embedding,
               {{"lm_head.weight", 0, config_.vocab, false}}});
  }

  Json hf_config() const override {
    const ModelConfig& c = config_;
    Json json = {{"architectures", {"GPT2LMHeadModel"}},
                 {"model_type", "gpt2"},
                 {"vocab_size", c.vocab},
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
                 {"bias", c.bias},
                 {"torch_dtype", "float32"}};
    if (c.bos_id >= 0) json["bos_token_id"] = c.bos_id;
    if (c.eos_id >= 0) json["eos_token_id"] = c.eos_id;
    return json;
  }

 private:
  Tensor embedding_, positions_, head_;
  std::vector<Block> blocks_;
  Norm norm_;
};

}  // namespace

std::unique_ptr<Model> make_gpt2(const ModelConfig& config, DType compute,
                                 std::optional<uint64_t> seed) {
  return std::make_unique<Gpt2>(config, compute, seed);
}

ModelConfig gpt2_config(const Json& json, std::string_view where) {
  ModelConfig c;
  c.family = "gpt2";
  c.vocab = get<int64_t>(json, "vocab_size", where);
  c.width = get<int64_t>(json, "n_embd", where);
  c.hidden = json.contains("n_inner") && !json["n_inner"].is_null()
                 ? get<int64_t>(json, "n_inner", where)
                 : 4 * c.width;
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

}  // namespace malssi
