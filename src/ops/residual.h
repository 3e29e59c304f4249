// The residual stream: f32 sums, with dropout of what is added.
#pragma once

#include <cstdint>

#include "tensor/tensor.h"

namespace malssi {

struct DropoutOptions {
  float rate = 0;  // 0: none
  uint64_t seed = 0;
};

// x f32 + dropout(delta), delta f32 or bf16 of the same shape -> f32.
Tensor residual_add(const Tensor& x, const Tensor& delta, const DropoutOptions& dropout = {});
// dropout(x), x f32 or bf16 as is the result. Srivastava et al. 2014. Returns x itself when the rate is 0.
Tensor dropout(const Tensor& x, const DropoutOptions& options);

}  // namespace malssi
