#include "models/decoder.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "models/block.h"

namespace malssi {
namespace {

struct ActivationName {
  std::string_view name;
  Activation activation;
  bool gates;  // exists in the gated form
};
constexpr std::array kActivations = {
    ActivationName{"silu", Activation::silu, true},
    ActivationName{"gelu_pytorch_tanh", Activation::gelu_tanh, true},
    ActivationName{"gelu_new", Activation::gelu_tanh, true},
    ActivationName{"gelu", Activation::gelu, false},
    ActivationName{"relu", Activation::relu, false}};

class Decoder : public Model {
 public:
  Decoder(const ModelConfig& c, const Design& design, DType dtype, std::optional<uint64_t> seed)
      : Model(c, dtype), design_(design), rope_(c.head_dim, c.rope_theta, c.rope_scaling) {
    if (c.rope_theta_local > 0) local_rope_ = RopeTable(c.head_dim, c.rope_theta_local);
    std::optional<Rng> source;
    if (seed) source.emplace(*seed);
    Rng* const rng = source ? &*source : nullptr;
    embedding_ = random_table(rng, c.vocab, c.width, 0.02, dtype);
    if (!design.positions.empty())
      positions_ = random_table(rng, c.context + design.first_position, c.width, 0.02, dtype);
    if (!design.token_types.empty())
      token_types_ = random_table(rng, c.token_types, c.width, 0.02, dtype);
    if (!design.embedding_norm.empty()) embedding_norm_ = final_norm(DType::f32);
    for (int64_t i = 0; i < c.layers; ++i) blocks_.emplace_back(rng, c, design, dtype);
    if (!design.norm.empty()) norm_ = final_norm(dtype);
    if (!c.tied) head_ = random_table(rng, c.vocab, c.width, 0.02, dtype);
  }

  Tensor hidden(std::span<const int32_t> ids, Context& context) override {
    const uint64_t seed = context.dropout_seed();
    const float rate = seed == 0 ? 0 : static_cast<float>(config_.dropout);
    Tensor x = dropout(embedded(ids, context), {rate, seed});
    int64_t layer = 0;
    for (const Block& block : blocks_) {
      x = block(x, layer, context, spec_of(layer, rate),
                {rate, splitmix64(seed + 31 * static_cast<uint64_t>(layer + 1))});
      ++layer;
    }
    return norm_ ? (*norm_)(x) : x;
  }

  const Tensor& head() const override {
    return head_.defined() || !config_.tied ? head_ : embedding_;
  }

  void visit(const ParameterVisitor& visitor) override {
    const auto table = [&](const char* name, Tensor& value, const std::string& published,
                           const char* gguf, Tensor* product = nullptr) {
      if (value.shape().rank() != 2 || published.empty()) return;
      const WeightPart part{.name = published + ".weight",
                            .begin = 0,
                            .end = value.dim(0),
                            .gguf = concat(gguf, ".weight")};
      visitor({concat(name, ".weight"),
               &value,
               ParameterKind::embedding,
               {part},
               nullptr,
               nullptr,
               product});
    };
    table("embedding", embedding_, design_.embedding, "token_embd",
          config_.tied && !is_encoder(config_) ? &head_ : nullptr);
    table("positions", positions_, design_.positions, "position_embd");
    table("token_types", token_types_, design_.token_types, "token_types");
    const auto norm = [&](std::optional<Norm>& n, const char* name, const std::string& published,
                          const char* gguf) {
      if (n) n->visit(name, {.prefix = published, .gguf = gguf}, visitor, design_.norm_added);
    };
    norm(embedding_norm_, "embedding_norm", design_.embedding_norm, "token_embd_norm");
    for (size_t i = 0; i < blocks_.size(); ++i)
      blocks_[i].visit(config_, design_, static_cast<int64_t>(i), visitor);
    norm(norm_, "norm", design_.norm, "output_norm");
    if (!config_.tied) table("head", head_, design_.head, "output", &head_);
  }

 private:
  Norm final_norm(DType out) const {
    return Norm(design_.norm_kind, config_.width, config_.norm_eps, out, design_.norm_bias);
  }

  Tensor embedded(std::span<const int32_t> ids, const Context& context) const {
    const std::span<const int32_t> positions = context.positions();
    std::vector<int32_t> places(positions.begin(), positions.end());
    for (int32_t& place : places) place += static_cast<int32_t>(design_.first_position);
    Tensor x = design_.positions.empty() ? embedding(embedding_, ids)
                                         : embedding(embedding_, ids, positions_, places);
    x = context.noised(x);
    if (!design_.token_types.empty())
      x = residual_add(x, embedding(token_types_, std::vector<int32_t>(ids.size(), 0)));
    if (design_.embedding_scale != 1) x = scaled(x, design_.embedding_scale);
    return embedding_norm_ ? (*embedding_norm_)(x) : x;
  }

  AttentionSpec spec_of(int64_t layer, float dropout_rate) const {
    const ModelConfig& c = config_;
    const int64_t window = c.windows.empty() ? 0 : c.windows[static_cast<size_t>(layer)];
    const bool rotary = design_.rotary && design_.positions.empty() &&
                        (c.no_rope_interval == 0 || (layer + 1) % c.no_rope_interval != 0);
    const RopeTable& table = window > 0 && c.rope_theta_local > 0 ? local_rope_ : rope_;
    return {.heads = {c.heads, c.kv_heads, c.head_dim, static_cast<float>(c.attention_scale)},
            .rope = rotary ? &table : nullptr,
            .dropout = dropout_rate,
            .window = window,
            .softcap = static_cast<float>(c.attention_softcap),
            .mask = design_.mask};
  }

  Design design_;
  RopeTable rope_, local_rope_;
  Tensor embedding_, positions_, token_types_;
  Tensor head_;  // where it is the embedding: undefined, or the same numbers for products
  std::vector<Block> blocks_;
  std::optional<Norm> embedding_norm_, norm_;
};

}  // namespace

std::unique_ptr<Model> make_decoder(const ModelConfig& config, const Design& design, DType compute,
                                    std::optional<uint64_t> seed) {
  return std::make_unique<Decoder>(config, design, compute, seed);
}

Activation activation_named(std::string_view name) {
  for (const ActivationName& known : kActivations)
    if (known.name == name) return known.activation;
  return Activation::silu;
}

void check_activation(std::string_view family, const Design& design, std::string_view name) {
  const bool gated = !design.gate.empty() || !design.gate_up.empty();
  std::string known;
  for (const ActivationName& a : kActivations) {
    if (gated ? !a.gates : a.activation == Activation::silu) continue;
    if (a.name == name) return;
    known += concat(known.empty() ? "" : ", ", a.name);
  }
  throw Error(concat("model: ", family, " with the activation \"", name, "\"; known are ", known));
}

}  // namespace malssi
