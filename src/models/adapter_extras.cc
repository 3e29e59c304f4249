// What adapters other than LoRA put into a model's layers.
#include <cmath>
#include <set>

#include "base/error.h"
#include "models/adapter_places.h"

namespace malssi {
namespace {

constexpr std::string_view kOther = ": the adapter was made for another base model";

const MatrixPlace& matrix_at(const AdapterPlaces& places, const std::string& matrix,
                             const std::string& where, const Model& model) {
  const auto found = places.matrices.find(bare_name(matrix));
  REQUIRE(found != places.matrices.end(), no_such_matrix(where, matrix, model));
  return found->second;
}

void check_scaling(const ScalingPart& part, const MatrixPlace& place, const std::string& where) {
  const int64_t expected = part.of_inputs ? place.inputs : place.rows;
  REQUIRE(part.factors.size() == expected, where, ": \"", part.matrix, "\": ", part.factors.size(),
          " factors for a matrix of ", expected, part.of_inputs ? " inputs" : " rows", kOther);
  REQUIRE(!part.of_inputs || place.parts == 1, where, ": scales the inputs of \"", part.matrix,
          "\" alone, which this model computes together with others' of the same inputs: scale "
          "outputs "
          "instead, or down_proj's inputs");
}

void check_bottleneck(const BottleneckPart& part, const MatrixPlace& place,
                      const std::string& where) {
  const Shape &down = part.down.shape(), &up = part.up.shape();
  REQUIRE(place.parts == 1, where, ": \"", part.matrix,
          "\" is computed together with others: a bottleneck follows an output matrix "
          "(o_proj, down_proj)");
  REQUIRE(down.rank() == 2 && up.rank() == 2 && down[0] == up[1] && down[0] >= 1 &&
              down[1] == place.rows && up[0] == place.rows && part.down_bias.size() == down[0] &&
              part.up_bias.size() == up[0],
          where, ": \"", part.matrix, "\": down is ", down, ", up ", up, ", their biases ",
          part.down_bias.size(), " and ", part.up_bias.size(), ", behind ", place.rows, " outputs",
          kOther);
}

void check_virtual(const AdapterExtras& extras, const std::string& where, const Model& model) {
  const ModelConfig& c = model.config();
  const int64_t expected = extras.prompt ? c.width : c.layers * 2 * c.kv_heads * c.head_dim;
  const Tensor& rows = extras.prompt ? extras.prompt : extras.prefix;
  if (!rows) return;
  REQUIRE(rows.shape().rank() == 2 && rows.dim(1) == expected && rows.dim(0) >= 1, where,
          ": its virtual tokens are ", rows.shape(), ", expected [tokens, ", expected, "]", kOther);
  REQUIRE(rows.dim(0) < c.context, where, ": ", rows.dim(0),
          " virtual tokens leave no room in the model's context of ", c.context);
  REQUIRE(!is_encoder(c), where, ": virtual tokens are for models that write text, not encoders");
}

}  // namespace

void check_extras(const Adapter& adapter, const AdapterPlaces& places, const Model& model) {
  const AdapterExtras& extras = adapter.extras;
  std::set<std::string> seen;
  const auto once = [&](const std::string& name) {
    REQUIRE(seen.insert(bare_name(name)).second, adapter.where, ": adapts \"", name, "\" twice");
  };
  for (const ScalingPart& part : extras.scalings) {
    once(part.matrix);
    check_scaling(part, matrix_at(places, part.matrix, adapter.where, model), adapter.where);
  }
  for (const BottleneckPart& part : extras.bottlenecks) {
    once(part.matrix);
    check_bottleneck(part, matrix_at(places, part.matrix, adapter.where, model), adapter.where);
  }
  for (const NormPart& part : extras.norms) {
    once(part.norm);
    const auto found = places.norms.find(bare_name(part.norm));
    REQUIRE(found != places.norms.end(), adapter.where, ": tunes \"", part.norm,
            "\", which is no norm of this ", model.config().family, " model with ",
            model.config().layers, " layers: is it for another base?");
    const NormPlace& place = found->second;
    const bool has_bias = place.bias->shape().rank() > 0 && place.bias->size() > 0;
    REQUIRE(part.weight && part.weight.size() == place.weight->size() &&
                part.bias.defined() == has_bias &&
                (!has_bias || part.bias.size() == place.weight->size()),
            adapter.where, ": \"", part.norm, "\" does not have the ", place.weight->size(),
            " weights", has_bias ? " and biases" : "", " of the model's", kOther);
  }
  check_virtual(extras, adapter.where, model);
}

void attach_extras(const Adapter& adapter, const AdapterPlaces& places, int64_t number,
                   DType compute) {
  const auto wide = [](const Tensor& t) { return t.to(DType::f32).view({t.size()}); };
  for (const ScalingPart& part : adapter.extras.scalings) {
    const MatrixPlace& place = places.matrices.at(bare_name(part.matrix));
    auto& list = part.of_inputs ? place.changes->inputs : place.changes->outputs;
    const int64_t n = part.factors.size();  // in the shape that PEFT gives them
    list.push_back({number,
                    part.factors.to(DType::f32).view(part.of_inputs ? Shape{1, n} : Shape{n, 1}),
                    part.of_inputs ? 0 : place.first_row});
  }
  for (const BottleneckPart& part : adapter.extras.bottlenecks)
    places.matrices.at(bare_name(part.matrix))
        .changes->bottlenecks.push_back({.adapter = number,
                                         .down = part.down.to(DType::f32).to(compute),
                                         .down_bias = wide(part.down_bias),
                                         .up = part.up.to(DType::f32).to(compute),
                                         .up_bias = wide(part.up_bias),
                                         .activation = part.activation,
                                         .scale = part.scale});
  for (const NormPart& part : adapter.extras.norms) {
    const NormPlace& place = places.norms.at(bare_name(part.norm));
    place.changes->push_back(
        {number, wide(part.weight), part.bias ? wide(part.bias) : Tensor(), place.added});
  }
}

void train_extras(Model& model, int64_t adapter, std::vector<Parameter>& parameters) {
  const AdapterPlaces places = places_of(model);
  const auto add = [&](const std::string& name, Tensor& value, ParameterKind kind) {
    parameters.push_back(trained_parameter(name, "", value, kind));
  };
  for (const auto& [name, place] : places.matrices) {
    for (Scaling& each : place.changes->inputs)
      if (each.adapter == adapter && place.parts == 1)
        add(place.matrix + ".ia3_l", each.factors, ParameterKind::norm);
    for (Scaling& each : place.changes->outputs)
      if (each.adapter == adapter && each.first_row == place.first_row)
        add(place.matrix + ".ia3_l", each.factors, ParameterKind::norm);
    for (Bottleneck& each : place.changes->bottlenecks) {
      if (each.adapter != adapter) continue;
      add(place.matrix + ".adapter_down.weight", each.down, ParameterKind::matrix);
      add(place.matrix + ".adapter_down.bias", each.down_bias, ParameterKind::bias);
      add(place.matrix + ".adapter_up.weight", each.up, ParameterKind::matrix);
      add(place.matrix + ".adapter_up.bias", each.up_bias, ParameterKind::bias);
    }
  }
  for (const auto& [name, place] : places.norms)
    for (NormChange& each : *place.changes) {
      if (each.adapter != adapter) continue;
      add(place.norm + ".ln_tuning_layers.weight", each.weight, ParameterKind::norm);
      if (each.bias) add(place.norm + ".ln_tuning_layers.bias", each.bias, ParameterKind::bias);
    }
  for (VirtualTokens& each : model.virtual_tokens()) {
    if (each.adapter != adapter) continue;
    Tensor& rows = each.prompt ? each.prompt : each.prefix;
    rows.want_grad();
    parameters.push_back(
        {.name = "prompt_embeddings",
         .value = &rows,
         .kind = ParameterKind::embedding,
         .parts = {{.name = "prompt_embeddings", .begin = 0, .end = rows.dim(0)}}});
  }
}

void clear_gradients(Model& model) {
  model.visit([](const Parameter& p) {
    p.value->clear_grad();
    if (p.low_ranks != nullptr)
      for (const LowRank& each : *p.low_ranks)
        for (const Tensor& t : {each.a, each.b, each.magnitude}) t.clear_grad();
    if (p.changes != nullptr) {
      for (const auto* list : {&p.changes->inputs, &p.changes->outputs})
        for (const Scaling& each : *list) each.factors.clear_grad();
      for (const Bottleneck& each : p.changes->bottlenecks)
        for (const Tensor& t : {each.down, each.down_bias, each.up, each.up_bias}) t.clear_grad();
    }
    if (p.norm_changes != nullptr)
      for (const NormChange& each : *p.norm_changes)
        for (const Tensor& t : {each.weight, each.bias}) t.clear_grad();
  });
  for (const VirtualTokens& each : model.virtual_tokens())
    for (const Tensor& t : {each.prompt, each.prefix}) t.clear_grad();
}

}  // namespace malssi
