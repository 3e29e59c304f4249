// What adapters other than LoRA change about a layer, on those rows of a pass that use them: trained factors (IA3: Liu et al.
// 2022), a small network behind it (bottleneck adapters: Houlsby et al. 2019; Pfeiffer et al. 2020), other weights of a norm.
// A row's result does not depend on what its neighbours use, to the bit.
#pragma once

#include <cstdint>
#include <vector>

#include "nn/low_rank.h"
#include "tensor/tensor.h"

namespace malssi {

// Factors of a linear layer's inputs, or of some of its outputs.
struct Scaling {
  int64_t adapter = 0;    // its number in the model
  Tensor factors;         // f32
  int64_t first_row = 0;  // where they lie among the outputs
};

enum class BottleneckActivation { relu, gelu };  // gelu: the form with tanh

// y + scale up(activation(down(y))).
struct Bottleneck {
  int64_t adapter = 0;
  Tensor down;       // [inner, outputs]
  Tensor down_bias;  // f32 [inner]
  Tensor up;         // [outputs, inner]
  Tensor up_bias;    // f32 [outputs]
  BottleneckActivation activation = BottleneckActivation::relu;
  float scale = 1;
};

struct LinearChanges {
  std::vector<Scaling> inputs, outputs;
  std::vector<Bottleneck> bottlenecks;

  // The layer's inputs [N, K] as its weights see them. Returns x itself where no row is changed.
  Tensor before(const Tensor& x, const AdapterRows& adapters) const;
  // Its outputs [N, outputs] as others see them: y itself must not be used afterwards.
  Tensor after(const Tensor& y, const AdapterRows& adapters) const;
};

// A norm's weights in place of its own; with a weight in an AdapterUse, so much of the way there.
struct NormChange {
  int64_t adapter = 0;
  Tensor weight;    // f32 [width]
  Tensor bias;      // f32 [width], or undefined
  float added = 0;  // what the norm's own weight has more than files say (see WeightPart)
};

// a + added - b, f32; b gets no gradient.
Tensor difference(const Tensor& a, const Tensor& b, float added = 0);
// x f32 as another dtype, with a gradient.
Tensor converted(const Tensor& x, DType dtype);

}  // namespace malssi
