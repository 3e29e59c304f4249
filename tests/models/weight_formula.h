// Weights by a formula that golden.py repeats, so that fixtures hold results only.
#pragma once

#include <cmath>
#include <map>
#include <string>

#include "models/model.h"

namespace malssi {

// The numbers of the weight with this published name.
inline Tensor formula(const std::string& name, const Shape& shape) {
  int phase = 0;
  for (char c : name) phase += static_cast<unsigned char>(c);
  phase %= 97;
  const bool around_one = name.find("norm") != std::string::npos ||
                          (name.find("ln_") != std::string::npos && name.ends_with(".weight"));
  Tensor t = Tensor::empty(shape);
  for (int64_t i = 0; i < t.size(); ++i) {
    const double x = 0.3 * std::sin(0.7 * static_cast<double>(i + 1) + phase);
    t.f32()[i] = static_cast<float>(around_one ? 1 + x : x);
  }
  return t;
}

inline void fill_by_formula(Model& model) {
  std::map<std::string, Shape> shapes;
  for (const NamedTensor& t : export_weights(model)) shapes[t.name] = t.value.shape();
  import_weights(model, [&](const std::string& name) { return formula(name, shapes.at(name)); });
}

}  // namespace malssi
