// Linear layers: y = x w^T (+ bias).
#pragma once

#include <optional>

#include "tensor/tensor.h"

namespace malssi {

struct LinearOptions {
  Tensor bias;               // f32 [N], or undefined
  std::optional<DType> out;  // of y; else that of w
};

// x [.., K], w [N, K] (f32 or bf16) -> y [.., N]. x is converted to w's dtype where it differs. Throws Error when the last axes
// differ. Weight gradients are f32.
Tensor linear(const Tensor& x, const Tensor& w, const LinearOptions& options = {});

}  // namespace malssi
