// Where adapters act in a model: its published matrices and norms, as Model::attach() and those who make adapters find them.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "models/adapter.h"
#include "models/model.h"

namespace malssi {

// A published matrix inside a linear layer.
struct MatrixPlace {
  std::vector<LowRank>* low_ranks = nullptr;
  LinearChanges* changes = nullptr;
  int64_t first_row = 0, rows = 0, inputs = 0;
  size_t part = 0, parts = 1;  // its number among the layer's matrices, and how many there are
  std::string layer = {};      // "layers.3.attention.qkv.weight"
  std::string matrix = {};     // its whole published name
  Tensor weight = {};          // [rows, inputs]; undefined where the model has none
};

struct NormPlace {
  std::vector<NormChange>* changes = nullptr;
  Tensor* weight = nullptr;
  Tensor* bias = nullptr;  // maybe undefined
  float added = 0;         // see WeightPart
  std::string norm = {};   // its whole published name
};

// By bare_name().
struct AdapterPlaces {
  std::map<std::string, MatrixPlace> matrices;
  std::map<std::string, NormPlace> norms;
};
AdapterPlaces places_of(Model& model);

// Error: something that the model does not have, or of another shape.
void check_extras(const Adapter& adapter, const AdapterPlaces& places, const Model& model);
// What check_extras() let through, without virtual tokens.
void attach_extras(const Adapter& adapter, const AdapterPlaces& places, int64_t number,
                   DType compute);
// See train_adapter().
void train_extras(Model& model, int64_t adapter, std::vector<Parameter>& parameters);

// A tensor that wants a gradient, called "base_model.model.{name}{ending}" in PEFT's files.
Parameter trained_parameter(const std::string& name, std::string_view ending, Tensor& value,
                            ParameterKind kind = ParameterKind::matrix);
std::string no_such_matrix(const std::string& where, const std::string& matrix, const Model& model);

}  // namespace malssi
