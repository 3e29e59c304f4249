#include "models/adapter.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include "base/error.h"
#include "base/random.h"
#include "models/model.h"

namespace malssi {
namespace {

// A published matrix inside a linear layer.
struct Place {
  std::vector<LowRank>* low_ranks = nullptr;
  int64_t first_row = 0, rows = 0, inputs = 0;
  std::string matrix = {};  // its whole name
};

std::map<std::string, Place> places_of(Model& model) {
  constexpr std::string_view kWeight = ".weight";
  std::map<std::string, Place> places;
  model.visit([&](const Parameter& p) {
    if (p.low_ranks == nullptr) return;
    for (const WeightPart& part : p.parts) {
      const std::string matrix = part.name.substr(0, part.name.size() - kWeight.size());
      places[bare_name(matrix)] = {p.low_ranks, part.begin, part.end - part.begin, p.value->dim(1),
                                   matrix};
    }
  });
  return places;
}

void check_fit(const AdapterPart& part, const Place& place, const std::string& where) {
  const Shape &a = part.a.shape(), &b = part.b.shape();
  REQUIRE(a.rank() == 2 && b.rank() == 2 && a[0] == b[1] && a[0] >= 1, where, ": \"", part.matrix,
          "\": A is ", a, " and B ", b, "; expected [rank, inputs] and [outputs, rank]");
  REQUIRE(a[1] == place.inputs && b[0] == place.rows, where, ": \"", part.matrix, "\": A is ", a,
          " and B ", b, ", but the model's matrix is [", place.rows, ", ", place.inputs,
          "]: the adapter was made for another base model");
}

// bf16 where the model multiplies in it, f16 (which the products widen) as it is, everything else f32.
Tensor computable(const Tensor& x, DType compute) {
  return x.dtype() == DType::f16 || x.dtype() == compute ? x : x.to(DType::f32);
}

Tensor uniform(Rng& rng, Shape shape, double bound) {
  const Tensor x = Tensor::empty(shape);
  for (int64_t i = 0; i < x.size(); ++i)
    x.f32()[i] = static_cast<float>(bound * (2 * rng.uniform() - 1));
  return x;
}

Parameter trained(const std::string& name, Tensor& value) {
  value.want_grad();
  return {
      .name = name, .value = &value, .parts = {{.name = name, .begin = 0, .end = value.dim(0)}}};
}

}  // namespace

std::string bare_name(std::string_view name) {
  bool is_shorter = true;
  while (is_shorter) {
    is_shorter = false;
    for (const std::string_view prefix : {"base_model.", "model.", "language_model.",
                                          "transformer.", "bert.", "roberta.", "distilbert."})
      if (name.starts_with(prefix)) {
        name.remove_prefix(prefix.size());
        is_shorter = true;
      }
  }
  return std::string(name);
}

int64_t Model::attach(const Adapter& adapter) {
  const std::map<std::string, Place> places = places_of(*this);
  std::map<std::string, const AdapterPart*> chosen;
  for (const AdapterPart& part : adapter.parts) {
    const auto place = places.find(bare_name(part.matrix));
    REQUIRE(place != places.end(), adapter.where, ": adapts \"", part.matrix,
            "\", which is no linear layer in the blocks of this ", config_.family, " model with ",
            config_.layers,
            " layers (embeddings and output layers cannot be adapted): is it for another base?");
    check_fit(part, place->second, adapter.where);
    REQUIRE(chosen.emplace(place->first, &part).second, adapter.where, ": adapts \"", part.matrix,
            "\" twice");
  }
  for (const auto& [name, part] : chosen) {
    const Place& place = places.at(name);
    place.low_ranks->push_back({.adapter = adapters_,
                                .a = computable(part->a, dtype_),
                                .b = computable(part->b, dtype_),
                                .scale = part->scale,
                                .first_row = place.first_row});
  }
  return adapters_++;
}

Adapter make_adapter(Model& model, const FreshAdapter& fresh) {
  Adapter adapter{"the fresh adapter", {}};
  uint64_t number = 0;
  std::string known;
  for (const auto& [name, place] : places_of(model)) {
    if (known.size() < 200) known += (known.empty() ? "" : ", ") + place.matrix;
    Rng rng(fresh.seed, number++);  // a matrix's numbers do not depend on which others are targets
    if (!fresh.is_target(place.matrix)) continue;
    const double bound = 1 / std::sqrt(static_cast<double>(place.inputs));
    adapter.parts.push_back({.matrix = place.matrix,
                             .a = uniform(rng, {fresh.rank, place.inputs}, bound).to(model.dtype()),
                             .b = Tensor::zeros({place.rows, fresh.rank}, model.dtype()),
                             .scale = fresh.scale});
  }
  REQUIRE(!adapter.parts.empty(), "no matrix of the model is a target of the adapter; it has ",
          known, ", ...");
  return adapter;
}

std::vector<Parameter> train_adapter(Model& model, int64_t adapter, float dropout) {
  std::vector<Parameter> parameters;
  for (const auto& [name, place] : places_of(model))
    for (LowRank& term : *place.low_ranks) {
      if (term.adapter != adapter || term.first_row != place.first_row) continue;
      term.dropout = dropout;
      term.stream = parameters.size();
      parameters.push_back(trained(place.matrix + ".lora_A", term.a));
      parameters.push_back(trained(place.matrix + ".lora_B", term.b));
    }
  return parameters;
}

void freeze(Model& model) {
  model.visit([](const Parameter& p) { p.value->set_slot(nullptr); });
}

}  // namespace malssi
