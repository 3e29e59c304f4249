#include "ops/scale.h"

#include "base/parallel.h"
#include "tensor/tape.h"

namespace malssi {
namespace {

Tensor times(const Tensor& x, float factor) {
  const Tensor wide = x.to(DType::f32);
  const Tensor y = Tensor::empty(x.shape());
  parallel_for(x.size(), 1 << 16, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) y.f32()[i] = factor * wide.f32()[i];
  });
  return y.to(x.dtype());
}

}  // namespace

Tensor scaled(const Tensor& x, float factor) {
  if (factor == 1) return x;
  Tensor y = times(x, factor);
  record("scaled", {x}, y,
         [factor](const Tensor& dy, Grads& grads) { grads.give(0, times(dy, factor)); });
  return y;
}

}  // namespace malssi
