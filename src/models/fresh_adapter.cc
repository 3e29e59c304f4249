#include "models/fresh_adapter.h"

#include <cmath>

#include "base/error.h"
#include "base/random.h"
#include "models/adapter_places.h"
#include "ops/embedding.h"
#include "tensor/tape.h"

namespace malssi {
namespace {

Adapter nothing() { return {"the fresh adapter", {}}; }

// The MLP's last matrix, of every expert.
bool is_mlp_output(const MatrixPlace& place) {
  return place.layer.find(".mlp.") != std::string::npos && place.layer.ends_with(".down.weight");
}

bool is_attention_output(const MatrixPlace& place) {
  return place.layer.ends_with(".attention.output.weight");
}

// Keys and values; where q, k and v are one published matrix, that.
bool is_key_or_value(const MatrixPlace& place) {
  return place.layer.ends_with(".attention.qkv.weight") && (place.parts == 1 || place.part > 0);
}

Tensor normal(Shape shape, double deviation, uint64_t seed) {
  Rng rng(seed);
  const Tensor x = Tensor::empty(shape);
  for (int64_t i = 0; i < x.size(); ++i) x.f32()[i] = static_cast<float>(deviation * rng.normal());
  return x;
}

}  // namespace

Adapter make_ia3(Model& model, const IsTarget& is_target, const IsTarget& is_inner) {
  Adapter adapter = nothing();
  for (const auto& [name, place] : places_of(model).matrices) {
    const bool chosen =
        is_target ? is_target(place.matrix) : is_key_or_value(place) || is_mlp_output(place);
    if (!chosen) continue;
    const bool of_inputs = is_inner ? is_inner(place.matrix) : is_mlp_output(place);
    adapter.extras.scalings.push_back(
        {place.matrix, Tensor::full({of_inputs ? place.inputs : place.rows}, 1), of_inputs});
  }
  REQUIRE(!adapter.extras.scalings.empty(),
          "no matrix of the model is a target of the adapter: see malssi inspect --tensors");
  return adapter;
}

Adapter make_norms(Model& model, const IsTarget& is_target) {
  Adapter adapter = nothing();
  const int64_t width = model.config().width;
  for (const auto& [name, place] : places_of(model).norms) {
    if (is_target ? !is_target(place.norm) : place.weight->size() != width) continue;
    const Tensor weight = place.weight->to(DType::f32).clone();
    for (int64_t i = 0; i < weight.size(); ++i) weight.f32()[i] -= place.added;
    const Tensor bias = place.bias->defined() ? place.bias->clone() : Tensor();
    adapter.extras.norms.push_back({place.norm, weight, bias});
  }
  for (NormPart& part : adapter.extras.norms) {
    part.weight.set_slot(nullptr);
    part.bias.set_slot(nullptr);
  }
  REQUIRE(!adapter.extras.norms.empty(), "no norm of the model is a target of the adapter");
  return adapter;
}

Adapter make_bottlenecks(Model& model, const FreshBottleneck& fresh) {
  Adapter adapter = nothing();
  uint64_t number = 0;
  for (const auto& [name, place] : places_of(model).matrices) {
    const bool chosen = (fresh.after_attention && is_attention_output(place)) ||
                        (fresh.after_mlp && is_mlp_output(place));
    Rng rng(fresh.seed, number++);
    if (!chosen) continue;
    const double bound = 1 / std::sqrt(static_cast<double>(place.rows));
    const Tensor down = Tensor::empty({fresh.inner, place.rows});
    for (int64_t i = 0; i < down.size(); ++i)
      down.f32()[i] = static_cast<float>(bound * (2 * rng.uniform() - 1));
    adapter.extras.bottlenecks.push_back({.matrix = place.matrix,
                                          .down = down,
                                          .down_bias = Tensor::zeros({fresh.inner}),
                                          .up = Tensor::zeros({place.rows, fresh.inner}),
                                          .up_bias = Tensor::zeros({place.rows}),
                                          .activation = fresh.activation,
                                          .scale = fresh.scale});
  }
  REQUIRE(!adapter.extras.bottlenecks.empty(), "the model has no layers for bottlenecks");
  return adapter;
}

Adapter make_prompt(Model& model, int64_t count, std::span<const int32_t> ids, uint64_t seed) {
  Rng rng(seed);
  std::vector<int32_t> chosen;
  for (int64_t i = 0; i < count; ++i)
    chosen.push_back(ids.empty() ? static_cast<int32_t>(rng.below(model.config().vocab))
                                 : ids[static_cast<size_t>(i) % ids.size()]);
  Adapter adapter = nothing();
  model.visit([&](const Parameter& p) {
    if (p.name != "embedding.weight") return;
    const NoTape untaped;
    Tensor table = *p.value;
    table.set_slot(nullptr);
    adapter.extras.prompt = embedding(table, chosen);
  });
  return adapter;
}

Adapter make_prefix(Model& model, int64_t count, uint64_t seed) {
  const ModelConfig& c = model.config();
  Adapter adapter = nothing();
  adapter.extras.prefix = normal({count, c.layers * 2 * c.kv_heads * c.head_dim}, 0.02, seed);
  return adapter;
}

}  // namespace malssi
