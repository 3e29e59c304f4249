#include "models/decoder.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "models/block.h"
#include "ops/experts.h"
#include "ops/recompute.h"
#include "ops/virtual_rows.h"

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
    const VirtualTokens* before = of_all_rows(context);
    if (before != nullptr && before->prompt && *std::ranges::min_element(ids) >= 0)
      return behind_prompt(ids, context, *before);
    const bool has_prefix = before != nullptr && before->prefix;
    if (has_prefix) context.begin_at(before->count());
    const uint64_t seed = context.dropout_seed();
    const float rate = seed == 0 ? 0 : static_cast<float>(config_.dropout);
    Tensor x = dropout(embedded(ids, context), {rate, seed});
    const std::shared_ptr<Context> again =
        kept_ == KeepForBackward::block_inputs ? context.repeatable() : nullptr;
    for (int64_t layer = 0; layer < config_.layers; ++layer) {
      const DropoutOptions drop{rate, splitmix64(seed + 31 * static_cast<uint64_t>(layer + 1))};
      AttentionSpec spec = spec_of(layer, rate);
      if (has_prefix) spec.prefix = &before->prefix;
      const auto block = [this, layer, spec, drop](const Tensor& input, Context& view) {
        return blocks_[static_cast<size_t>(layer)](input, layer, view, spec, drop);
      };
      // The backward pass begins with the last block, so what it keeps costs nothing more.
      x = again && layer + 1 < config_.layers
              ? recomputed(x, [=](const Tensor& input) { return block(input, *again); })
              : block(x, context);
    }
    return norm_ ? (*norm_)(x, context.adapters()) : x;
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

  // What a batch of whole sequences has in front of each; null: nothing, or the context holds it already.
  const VirtualTokens* of_all_rows(const Context& context) const {
    if (context.starts().empty()) return nullptr;
    const VirtualTokens* found = nullptr;
    for (const VirtualTokens& each : virtual_) {
      const AdapterRows::Use* use = context.adapters().find(each.adapter);
      if (use == nullptr) continue;
      REQUIRE(found == nullptr && static_cast<int32_t>(use->rows.size()) == context.starts().back(),
              "sequences of one batch have to begin with the same virtual tokens");
      found = &each;
    }
    return found;
  }

  // The pass with the prompt's rows in front of each sequence, which are left out of the result.
  Tensor behind_prompt(std::span<const int32_t> ids, const Context& context,
                       const VirtualTokens& tokens) {
    const auto V = static_cast<int32_t>(tokens.count());
    const std::span<const int32_t> starts = context.starts();
    std::vector<int32_t> longer_ids, longer{0}, rows;
    for (size_t s = 0; s + 1 < starts.size(); ++s) {
      for (int32_t v = 0; v < V; ++v) longer_ids.push_back(-1 - v);
      for (int32_t i = starts[s]; i < starts[s + 1]; ++i) {
        rows.push_back(static_cast<int32_t>(longer_ids.size()));
        longer_ids.push_back(ids[static_cast<size_t>(i)]);
      }
      longer.push_back(static_cast<int32_t>(longer_ids.size()));
    }
    CausalBatch whole(longer, context.dropout_seed());
    whole.set_adapters(context.adapters().spread(static_cast<int64_t>(longer_ids.size())));
    return gather_rows(hidden(longer_ids, whole), rows);
  }

  // Embeddings of tokens; of a virtual one its row of the prompt that its sequence uses.
  Tensor token_rows(std::span<const int32_t> ids, const Context& context) const {
    std::vector<int32_t> real(ids.begin(), ids.end());
    for (int32_t& id : real) id = std::max(id, 0);
    Tensor x = embedding(embedding_, real);
    for (const VirtualTokens& each : virtual_) {
      const AdapterRows::Use* use = context.adapters().find(each.adapter);
      if (use == nullptr || !each.prompt) continue;
      std::vector<int32_t> rows, places;
      for (const int32_t row : use->rows) {
        if (ids[static_cast<size_t>(row)] >= 0) continue;
        rows.push_back(row);
        places.push_back(-1 - ids[static_cast<size_t>(row)]);
      }
      x = put_rows_in_place(x, each.prompt, rows, places);
    }
    return x;
  }

  Tensor embedded(std::span<const int32_t> ids, const Context& context) const {
    const std::span<const int32_t> positions = context.positions();
    std::vector<int32_t> places(positions.begin(), positions.end());
    for (int32_t& place : places) place += static_cast<int32_t>(design_.first_position);
    const bool has_virtual = std::ranges::any_of(ids, [](int32_t id) { return id < 0; });
    const bool has_positions = !design_.positions.empty();
    Tensor x = has_virtual     ? token_rows(ids, context)
               : has_positions ? embedding(embedding_, ids, positions_, places)
                               : embedding(embedding_, ids);
    if (has_virtual && has_positions) x = residual_add(x, embedding(positions_, places));
    x = context.noised(x);
    if (!design_.token_types.empty())
      x = residual_add(x, embedding(token_types_, std::vector<int32_t>(ids.size(), 0)));
    if (design_.embedding_scale != 1) x = scaled(x, design_.embedding_scale);
    return embedding_norm_ ? (*embedding_norm_)(x, context.adapters()) : x;
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
