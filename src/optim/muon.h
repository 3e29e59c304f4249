// Muon (Jordan et al. 2024): momentum, made orthogonal by five Newton-Schulz steps.
#pragma once

#include <cstdint>

#include "tensor/tensor.h"

namespace malssi {

// x f32 [R, C] -> the nearest matrix with singular values about 1 (0.7 to 1.2), f32 [R, C]. Products run in bf16 where that is native.
Tensor orthogonalized(const Tensor& x);

// momentum = beta momentum + (1 - beta) gradient; weight -= lr (sqrt(max(1, R / C)) orthogonalized(Nesterov's momentum) + decay weight).
// All f32 [R, C].
struct MuonStep {
  float lr, beta, weight_decay, gradient_scale;
};
void muon_update(const MuonStep& step, const Tensor& gradient, const Tensor& weight,
                 const Tensor& momentum);

}  // namespace malssi
