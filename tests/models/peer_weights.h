// Random weights that peer_agreement.py repeats, so that fixtures hold llama.cpp's answers only.
#pragma once

#include <cmath>
#include <string>

#include "tensor/tensor.h"

namespace malssi {

inline uint64_t mixed(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
  return x ^ (x >> 31);
}

// Where a weight's numbers begin among all that mixed() gives.
inline uint64_t name_seed(std::string_view name) {
  uint64_t seed = 0;
  for (size_t j = 0; j < name.size(); ++j) seed += static_cast<unsigned char>(name[j]) * (j + 1);
  return seed << 32;
}

// Evenly spread numbers, as the script draws them: unlike waves, they leave matrices of full rank.
inline Tensor hashed(const std::string& name, const Shape& shape) {
  const uint64_t seed = name_seed(name);
  const bool around_one = name.find("norm") != std::string::npos ||
                          name.find("LayerNorm.weight") != std::string::npos ||
                          (name.find("ln_") != std::string::npos && name.ends_with(".weight"));
  const double size = shape.rank() > 1 ? 2.1 / std::sqrt(static_cast<double>(shape[-1])) : 0.3;
  Tensor t = Tensor::empty(shape);
  for (int64_t i = 0; i < t.size(); ++i) {
    const uint64_t bits = mixed(static_cast<uint64_t>(i) + seed) >> 40;
    const double unit = static_cast<double>(bits) / 8388608 - 1;
    t.f32()[i] = static_cast<float>(around_one ? 1 + 0.3 * unit : unit * size);
  }
  return t;
}

}  // namespace malssi
