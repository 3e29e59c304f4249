// Finite differences against the tape.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "base/random.h"
#include "tensor/tape.h"
#include "tensor/tensor.h"

namespace malssi {

// Numbers that differ from each other, about N(0, 1).
inline Tensor noise(Shape shape, uint64_t seed, float scale = 1) {
  Rng rng(seed);
  Tensor t = Tensor::empty(shape);
  for (int64_t i = 0; i < t.size(); ++i) t.f32()[i] = static_cast<float>(rng.normal()) * scale;
  return t;
}

struct NamedInput {
  std::string name;
  Tensor value;
};

// loss() must compute one number from the inputs (each marked by want_grad()) and depend on nothing that changes.
inline void expect_gradients(const std::function<Tensor()>& loss,
                             const std::vector<NamedInput>& inputs, float step = 1e-2f,
                             double tolerance = 1e-2) {
  for (const NamedInput& input : inputs) input.value.clear_grad();
  {
    Tape tape;
    const Tensor value = loss();
    tape.backward(value);
  }
  for (const NamedInput& input : inputs) {
    const Tensor gradient = input.value.grad();
    ASSERT_TRUE(gradient.defined()) << input.name << " got no gradient";
    double scale = 1e-3;
    for (int64_t i = 0; i < gradient.size(); ++i)
      scale = std::max<double>(scale, std::abs(gradient.f32()[i]));
    const int64_t stride = std::max<int64_t>(1, gradient.size() / 60);
    for (int64_t i = 0; i < gradient.size(); i += stride) {
      float& x = input.value.f32()[i];
      const float kept = x;
      x = kept + step;
      const double above = loss().f32()[0];
      x = kept - step;
      const double below = loss().f32()[0];
      x = kept;
      ASSERT_NEAR(gradient.f32()[i], (above - below) / (2 * step),
                  tolerance * (scale + std::abs(gradient.f32()[i])))
          << input.name << "[" << i << "]";
    }
  }
}

}  // namespace malssi
