#include "optim/muon.h"

#include <algorithm>
#include <cmath>

#include "base/parallel.h"
#include "kernels/gemm.h"
#include "kernels/table.h"

namespace malssi {
namespace {

ConstBuffer in(const Tensor& t) { return {t.data(), t.dtype()}; }
Buffer out(const Tensor& t) { return {t.data(), t.dtype()}; }

template <class Body>
void for_each(int64_t n, Body&& body) {
  parallel_for(n, 16384, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) body(i);
  });
}

// x <- a x + (b g + c g^2) x with the Gram matrix g of x's shorter side.
void newton_schulz_step(Tensor& x, DType dtype) {
  constexpr float a = 3.4445f, b = -4.7750f, c = 2.0315f;
  const int64_t R = x.dim(0), C = x.dim(1), S = std::min(R, C);
  const bool wide = R <= C;
  const Tensor narrow = x.to(dtype);
  const Tensor gram = Tensor::empty({S, S}), square = Tensor::empty({S, S}),
               product = Tensor::empty({R, C});
  if (wide) {
    gemm(in(narrow), in(narrow), out(gram), S, S, C, {.transpose_b = true});
  } else {
    gemm(in(narrow), in(narrow), out(gram), S, S, R, {.transpose_a = true});
  }
  const Tensor narrow_gram = gram.to(dtype);
  gemm(in(narrow_gram), in(narrow_gram), out(square), S, S, S);
  for_each(S * S, [&](int64_t i) { gram.f32()[i] = b * gram.f32()[i] + c * square.f32()[i]; });
  const Tensor polynomial = gram.to(dtype);
  if (wide) {
    gemm(in(polynomial), in(narrow), out(product), R, C, S);
  } else {
    gemm(in(narrow), in(polynomial), out(product), R, C, S);
  }
  for_each(R * C, [&](int64_t i) { product.f32()[i] += a * x.f32()[i]; });
  x = product;
}

}  // namespace

Tensor orthogonalized(const Tensor& x) {
  const DType dtype = has_native_bf16() ? DType::bf16 : DType::f32;
  const auto norm = static_cast<float>(std::sqrt(kernels().sum_squares(x.f32(), x.size()))) + 1e-7f;
  Tensor y = Tensor::empty(x.shape());
  for_each(x.size(), [&](int64_t i) { y.f32()[i] = x.f32()[i] / norm; });
  for (int step = 0; step < 5; ++step) newton_schulz_step(y, dtype);
  return y;
}

void muon_update(const MuonStep& step, const Tensor& gradient, const Tensor& weight,
                 const Tensor& momentum) {
  const int64_t R = weight.dim(0), C = weight.dim(1);
  const Tensor ahead = Tensor::empty({R, C});
  float* m = momentum.f32();
  const float* g = gradient.f32();
  for_each(R * C, [&](int64_t i) {
    const float scaled = g[i] * step.gradient_scale;
    m[i] = step.beta * m[i] + (1 - step.beta) * scaled;
    ahead.f32()[i] = step.beta * m[i] + (1 - step.beta) * scaled;
  });
  const Tensor update = orthogonalized(ahead);
  const float factor = std::sqrt(std::max(1.0f, static_cast<float>(R) / static_cast<float>(C)));
  float* w = weight.f32();
  for_each(R * C, [&](int64_t i) {
    w[i] -= step.lr * (factor * update.f32()[i] + step.weight_decay * w[i]);
  });
}

}  // namespace malssi
