#include "models/adapter.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include "base/error.h"
#include "base/random.h"
#include "models/adapter_places.h"
#include "ops/frozen.h"
#include "ops/principal.h"

namespace malssi {

AdapterPlaces places_of(Model& model) {
  constexpr std::string_view kWeight = ".weight";
  AdapterPlaces places;
  model.visit([&](const Parameter& p) {
    const auto bare = [&](const WeightPart& part) {
      return part.name.substr(0, part.name.size() - kWeight.size());
    };
    if (p.norm_changes != nullptr && !p.parts.empty())
      places.norms[bare_name(bare(p.parts.front()))] = {
          p.norm_changes, p.value, p.norm_bias, p.parts.front().added, bare(p.parts.front())};
    if (p.low_ranks == nullptr) return;
    for (size_t i = 0; i < p.parts.size(); ++i) {
      const WeightPart& part = p.parts[i];
      Tensor weight;
      if (p.held != nullptr && !p.held->empty())
        weight = (*p.held)[i];
      else if (p.value->defined())
        weight = p.value->rows(part.begin, part.end);
      places.matrices[bare_name(bare(part))] = {
          p.low_ranks,     p.changes, part.begin,     part.end - part.begin,
          p.value->dim(1), i,         p.parts.size(), p.name,
          bare(part),      weight};
    }
  });
  return places;
}

namespace {

void check_fit(const AdapterPart& part, const MatrixPlace& place, const std::string& where) {
  const Shape &a = part.a.shape(), &b = part.b.shape();
  REQUIRE(a.rank() == 2 && b.rank() == 2 && a[0] == b[1] && a[0] >= 1, where, ": \"", part.matrix,
          "\": A is ", a, " and B ", b, "; expected [rank, inputs] and [outputs, rank]");
  REQUIRE(a[1] == place.inputs && b[0] == place.rows, where, ": \"", part.matrix, "\": A is ", a,
          " and B ", b, ", but the model's matrix is [", place.rows, ", ", place.inputs,
          "]: the adapter was made for another base model");
  REQUIRE(!part.magnitude || part.magnitude.size() == place.rows, where, ": \"", part.matrix,
          "\": ", part.magnitude.size(), " magnitudes for a matrix of ", place.rows,
          " rows: the adapter was made for another base model");
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

}  // namespace

Parameter trained_parameter(const std::string& name, std::string_view ending, Tensor& value,
                            ParameterKind kind) {
  value.want_grad();
  return {
      .name = name,
      .value = &value,
      .kind = kind,
      .parts = {
          {.name = concat("base_model.model.", name, ending), .begin = 0, .end = value.dim(0)}}};
}

std::string no_such_matrix(const std::string& where, const std::string& matrix,
                           const Model& model) {
  return concat(
      where, ": adapts \"", matrix, "\", which is no linear layer in the blocks of this ",
      model.config().family, " model with ", model.config().layers,
      " layers (embeddings and output layers cannot be adapted): is it for another base?");
}

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
  const AdapterPlaces places = places_of(*this);
  std::map<std::string, const AdapterPart*> chosen;
  for (const AdapterPart& part : adapter.parts) {
    const auto place = places.matrices.find(bare_name(part.matrix));
    REQUIRE(place != places.matrices.end(), no_such_matrix(adapter.where, part.matrix, *this));
    check_fit(part, place->second, adapter.where);
    REQUIRE(chosen.emplace(place->first, &part).second, adapter.where, ": adapts \"", part.matrix,
            "\" twice");
  }
  check_extras(adapter, places, *this);
  for (const auto& [name, part] : chosen) {
    const MatrixPlace& place = places.matrices.at(name);
    LowRank term{.adapter = adapters_,
                 .a = computable(part->a, dtype_),
                 .b = computable(part->b, dtype_),
                 .scale = part->scale,
                 .first_row = place.first_row};
    if (part->magnitude) {
      term.magnitude = part->magnitude.to(DType::f32).view({place.rows});
      if (place.weight) {  // a model without weights is only asked whether the adapter fits
        term.squares = row_squares(place.weight);
        term.inverse_norms = inverse_norms_of(place.weight, term);
      }
    }
    place.low_ranks->push_back(std::move(term));
  }
  attach_extras(adapter, places, adapters_, dtype_);
  if (adapter.extras.prompt || adapter.extras.prefix)
    virtual_.push_back({adapters_,
                        adapter.extras.prompt ? adapter.extras.prompt.to(DType::f32) : Tensor(),
                        adapter.extras.prefix ? adapter.extras.prefix.to(DType::f32) : Tensor()});
  return adapters_++;
}

const VirtualTokens* Model::virtual_tokens(const AdapterMix& mix) const {
  const VirtualTokens* found = nullptr;
  for (const VirtualTokens& each : virtual_)
    for (const AdapterUse& use : mix) {
      if (use.adapter != each.adapter) continue;
      REQUIRE(found == nullptr, "adapters ", found->adapter, " and ", each.adapter,
              " both put virtual tokens in front of a sequence: use one of them");
      REQUIRE(use.weight == 1, "adapter ", use.adapter, " puts virtual tokens in front of a ",
              "sequence, which cannot be done by a part of ", use.weight, ": give it the weight 1");
      found = &each;
    }
  return found;
}

namespace {

// The principal part of a matrix: sqrt(value / scale) in each of A and B.
void put_principal(const MatrixPlace& place, const FreshAdapter& fresh, uint64_t seed,
                   AdapterPart& part) {
  REQUIRE(fresh.rank <= std::min(place.rows, place.inputs), "\"", place.matrix, "\" is [",
          place.rows, ", ", place.inputs, "], which has no ", fresh.rank,
          " principal directions: lower the rank");
  const PrincipalParts principal =
      principal_parts(widened(place.weight, 0, place.rows), fresh.rank, seed);
  const Tensor a = principal.right, b = Tensor::empty({place.rows, fresh.rank});
  for (int64_t r = 0; r < fresh.rank; ++r) {
    const float half = std::sqrt(principal.values[static_cast<size_t>(r)] / fresh.scale);
    for (int64_t k = 0; k < place.inputs; ++k) a.f32()[r * place.inputs + k] *= half;
    for (int64_t j = 0; j < place.rows; ++j)
      b.f32()[j * fresh.rank + r] = half * principal.left.f32()[r * place.rows + j];
  }
  part.a = a.to(part.a.dtype());
  part.b = b.to(part.b.dtype());
}

}  // namespace

Adapter opposite_of(const Adapter& adapter) {
  Adapter opposite = adapter;
  for (AdapterPart& part : opposite.parts) part.scale = -part.scale;
  return opposite;
}

Adapter make_adapter(Model& model, const FreshAdapter& fresh) {
  Adapter adapter{"the fresh adapter", {}};
  uint64_t number = 0;
  std::string known;
  for (const auto& [name, place] : places_of(model).matrices) {
    if (known.size() < 200) known += (known.empty() ? "" : ", ") + place.matrix;
    Rng rng(fresh.seed, number++);  // a matrix's numbers do not depend on which others are targets
    if (!fresh.is_target(place.matrix)) continue;
    const double bound = 1 / std::sqrt(static_cast<double>(place.inputs));
    adapter.parts.push_back({.matrix = place.matrix,
                             .a = uniform(rng, {fresh.rank, place.inputs}, bound).to(model.dtype()),
                             .b = Tensor::zeros({place.rows, fresh.rank}, model.dtype()),
                             .scale = fresh.scale});
    if (fresh.start == LowRankStart::principal)
      put_principal(place, fresh, fresh.seed + number, adapter.parts.back());
    if (!fresh.has_magnitudes) continue;
    Tensor& lengths = adapter.parts.back().magnitude = row_squares(place.weight);
    for (int64_t i = 0; i < lengths.size(); ++i) lengths.f32()[i] = std::sqrt(lengths.f32()[i]);
  }
  REQUIRE(!adapter.parts.empty(), "no matrix of the model is a target of the adapter; it has ",
          known, ", ...");
  return adapter;
}

std::vector<Parameter> train_adapter(Model& model, int64_t adapter, float dropout) {
  std::vector<Parameter> parameters;
  for (const auto& [name, place] : places_of(model).matrices)
    for (LowRank& term : *place.low_ranks) {
      if (term.adapter != adapter || term.first_row != place.first_row) continue;
      term.dropout = dropout;
      term.stream = parameters.size();
      term.inverse_norms = {};  // they change with every step
      parameters.push_back(trained_parameter(place.matrix + ".lora_A", ".weight", term.a));
      parameters.push_back(trained_parameter(place.matrix + ".lora_B", ".weight", term.b));
      if (term.magnitude)
        parameters.push_back(trained_parameter(place.matrix + ".lora_magnitude_vector", "",
                                               term.magnitude, ParameterKind::norm));
    }
  train_extras(model, adapter, parameters);
  return parameters;
}

void freeze(Model& model) {
  model.visit([](const Parameter& p) { p.value->set_slot(nullptr); });
}

}  // namespace malssi
