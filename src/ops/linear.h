// Linear layers: y = x w^T (+ bias).
#pragma once

#include <optional>
#include <span>

#include "tensor/tensor.h"

namespace malssi {

struct LinearOptions {
  Tensor bias;               // f32 [N], or undefined
  std::optional<DType> out;  // of y; else w's where that is f32 or bf16, else x's
};

// x [.., K] f32 or bf16, w [N, K] -> y [.., N]. While a Tape records, w must be f32 or bf16, and x is converted to its dtype;
// otherwise w may be of any dtype and lie in a mapped file, and a row of y depends on its own row of x alone, to the bit.
// Throws Error when the last axes differ. Weight gradients are f32.
Tensor linear(const Tensor& x, const Tensor& w, const LinearOptions& options = {});
// The same with w in parts, one below the other, each of its own dtype. They get no gradient, and nor does the bias; x does.
// While a Tape records, they are widened (ops/frozen.h), so that nothing is rounded to int8.
Tensor linear(const Tensor& x, std::span<const Tensor> parts, const LinearOptions& options = {});

}  // namespace malssi
