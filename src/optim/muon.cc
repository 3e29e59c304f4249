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

// x <- (a + b g + c g^2) x with the Gram matrix g of x's shorter side.
Tensor newton_schulz_step(const Tensor& x) {
  constexpr float a = 3.4445f, b = -4.7750f, c = 2.0315f;
  const int64_t R = x.dim(0), C = x.dim(1), S = std::min(R, C);
  const bool wide = R <= C;
  const Tensor gram = Tensor::empty({S, S}, x.dtype()), square = Tensor::empty({S, S});
  if (wide) {
    gemm(in(x), in(x), out(gram), S, S, C, {.transpose_b = true});
  } else {
    gemm(in(x), in(x), out(gram), S, S, R, {.transpose_a = true});
  }
  gemm(in(gram), in(gram), out(square), S, S, S);
  const Tensor polynomial = gram.to(DType::f32);
  float* p = polynomial.f32();
  const float* squares = square.f32();
  for_each(S * S, [=](int64_t i) { p[i] = b * p[i] + c * squares[i]; });
  for (int64_t i = 0; i < S; ++i) p[i * S + i] += a;
  const Tensor narrow = polynomial.to(x.dtype());
  Tensor product = Tensor::empty({R, C}, x.dtype());
  if (wide) {
    gemm(in(narrow), in(x), out(product), R, C, S);
  } else {
    gemm(in(x), in(narrow), out(product), R, C, S);
  }
  return product;
}

}  // namespace

Tensor orthogonalized(const Tensor& x) {
  const auto norm = static_cast<float>(std::sqrt(kernels().sum_squares(x.f32(), x.size()))) + 1e-7f;
  const Tensor unit = Tensor::empty(x.shape());
  const float* from = x.f32();
  float* to = unit.f32();
  for_each(x.size(), [=](int64_t i) { to[i] = from[i] / norm; });
  Tensor y = unit.to(has_native_bf16() ? DType::bf16 : DType::f32);
  for (int step = 0; step < 5; ++step) y = newton_schulz_step(y);
  return y.to(DType::f32);
}

void muon_update(const MuonStep& step, const Tensor& gradient, const Tensor& weight,
                 const Tensor& momentum) {
  const int64_t R = weight.dim(0), C = weight.dim(1);
  const Tensor ahead = Tensor::empty({R, C});
  float* m = momentum.f32();
  float* next = ahead.f32();
  const float* g = gradient.f32();
  for_each(R * C, [=](int64_t i) {
    const float scaled = g[i] * step.gradient_scale;
    m[i] = step.beta * m[i] + (1 - step.beta) * scaled;
    next[i] = step.beta * m[i] + (1 - step.beta) * scaled;
  });
  const Tensor update = orthogonalized(ahead);
  const float factor = std::sqrt(std::max(1.0f, static_cast<float>(R) / static_cast<float>(C)));
  const float* u = update.f32();
  float* w = weight.f32();
  for_each(R * C, [=](int64_t i) { w[i] -= step.lr * (factor * u[i] + step.weight_decay * w[i]); });
}

}  // namespace malssi
