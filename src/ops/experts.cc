#include "ops/experts.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include "kernels/table.h"
#include "tensor/tape.h"

namespace malssi {
namespace {

using Indices = std::shared_ptr<std::vector<int32_t>>;

Indices kept(std::span<const int32_t> indices) {
  return std::make_shared<std::vector<int32_t>>(indices.begin(), indices.end());
}

void softmax(const float* logits, int64_t n, float* probabilities) {
  const float top = *std::max_element(logits, logits + n);
  double sum = 0;
  for (int64_t i = 0; i < n; ++i) sum += probabilities[i] = std::exp(logits[i] - top);
  for (int64_t i = 0; i < n; ++i) probabilities[i] /= static_cast<float>(sum);
}

// The gradient of one token's logits. p [n] all probabilities; chosen [k] experts, dw their weights' gradients. With s the sum of
// the chosen probabilities: w = p / s, so dp = (dw - sum(dw w)) / s; and dlogits = p (dp - sum(dp p)).
void route_backward(const float* p, int64_t n, const int32_t* chosen, const float* dw, int64_t k,
                    RouteWeights kind, float* dlogits) {
  double sum = 1, mean = 0;
  if (kind == RouteWeights::renormalised) {
    sum = 0;
    for (int64_t j = 0; j < k; ++j) sum += p[chosen[j]];
    for (int64_t j = 0; j < k; ++j) mean += dw[j] * p[chosen[j]] / sum;
  }
  double dot = 0;
  for (int64_t j = 0; j < k; ++j) dot += (dw[j] - mean) / sum * p[chosen[j]];
  for (int64_t i = 0; i < n; ++i) dlogits[i] = static_cast<float>(-dot * p[i]);
  for (int64_t j = 0; j < k; ++j)
    dlogits[chosen[j]] += static_cast<float>((dw[j] - mean) / sum * p[chosen[j]]);
}

}  // namespace

Route route(const Tensor& logits, int64_t k, RouteWeights kind) {
  const int64_t N = logits.dim(0), experts = logits.dim(1);
  REQUIRE(k >= 1 && k <= experts, "route: ", k, " of ", experts, " experts; expected 1 to ",
          experts);
  const Tensor probabilities = Tensor::empty(logits.shape());
  Route result{std::vector<int32_t>(static_cast<size_t>(N * k)), Tensor::empty({N, k})};
  std::vector<int32_t> order(static_cast<size_t>(experts));
  for (int64_t n = 0; n < N; ++n) {
    float* p = probabilities.f32() + n * experts;
    softmax(logits.f32() + n * experts, experts, p);
    std::iota(order.begin(), order.end(), 0);
    std::partial_sort(order.begin(), order.begin() + k, order.end(),
                      [p](int32_t a, int32_t b) { return p[a] > p[b] || (p[a] == p[b] && a < b); });
    double sum = 0;
    for (int64_t j = 0; j < k; ++j) sum += p[order[static_cast<size_t>(j)]];
    for (int64_t j = 0; j < k; ++j) {
      const int32_t expert = order[static_cast<size_t>(j)];
      result.experts[static_cast<size_t>(n * k + j)] = expert;
      result.weights.f32()[n * k + j] =
          kind == RouteWeights::renormalised ? static_cast<float>(p[expert] / sum) : p[expert];
    }
  }
  if (!recording({logits})) return result;
  const Indices chosen = kept(result.experts);
  record("route", {logits}, result.weights,
         [probabilities, chosen, kind, N, k, experts](const Tensor& dy, Grads& grads) {
           const Tensor dx = Tensor::empty({N, experts});
           for (int64_t n = 0; n < N; ++n)
             route_backward(probabilities.f32() + n * experts, experts, chosen->data() + n * k,
                            dy.f32() + n * k, k, kind, dx.f32() + n * experts);
           grads.give(0, dx);
         });
  return result;
}

Tensor sigmoid(const Tensor& x) {
  Tensor y = Tensor::empty(x.shape());
  for (int64_t i = 0; i < x.size(); ++i) y.f32()[i] = 1 / (1 + std::exp(-x.f32()[i]));
  if (!recording({x})) return y;
  Tensor out = y;  // without the slot, so that the node does not keep itself alive
  record("sigmoid", {x}, y, [out](const Tensor& dy, Grads& grads) {
    const Tensor dx = Tensor::empty(dy.shape());
    for (int64_t i = 0; i < dy.size(); ++i)
      dx.f32()[i] = dy.f32()[i] * out.f32()[i] * (1 - out.f32()[i]);
    grads.give(0, dx);
  });
  return y;
}

Tensor gather_rows(const Tensor& x, std::span<const int32_t> rows) {
  const int64_t D = x.dim(1), size = dtype_size(x.dtype()), n = static_cast<int64_t>(rows.size());
  Tensor y = Tensor::empty({n, D}, x.dtype());
  for (int64_t i = 0; i < n; ++i) {
    const int32_t row = rows[static_cast<size_t>(i)];
    CHECK(row >= 0 && row < x.dim(0));
    std::memcpy(y.as<char>() + i * D * size, x.as<char>() + row * D * size,
                static_cast<size_t>(D * size));
  }
  if (!recording({x})) return y;
  record("gather_rows", {x}, y, [from = kept(rows), D](const Tensor& dy, Grads& grads) {
    const auto [dx, beta] = grads.into(0);
    if (!dx) return;
    if (beta == 0) dx.fill(0);
    const int64_t to_size = dtype_size(dx.dtype()), size = dtype_size(dy.dtype());
    for (size_t i = 0; i < from->size(); ++i)
      kernels().add_into(dx.as<char>() + (*from)[i] * D * to_size, dx.dtype(),
                         dy.as<char>() + static_cast<int64_t>(i) * D * size, dy.dtype(), D);
  });
  return y;
}

Tensor scatter_rows_in_place(const Tensor& sum, const Tensor& x, std::span<const int32_t> rows,
                             const Tensor& weights, std::span<const int32_t> places) {
  const int64_t n = x.dim(0), D = x.dim(1);
  CHECK(static_cast<int64_t>(rows.size()) == n && rows.size() == places.size() && sum.dim(1) == D);
  const Tensor factors = Tensor::empty({n});
  for (int64_t i = 0; i < n; ++i) factors.f32()[i] = weights.f32()[places[static_cast<size_t>(i)]];
  kernels().scatter_rows({x.data(), x.dtype()}, rows.data(), factors.f32(), sum.f32(), n, D);
  Tensor y = sum;
  y.set_slot(nullptr);
  if (!recording({sum, x, weights})) return y;
  record("scatter_rows", {sum, x, weights}, y,
         [x, factors, to = kept(rows), from = kept(places), n, D](const Tensor& dy, Grads& grads) {
           const Tensor dx = Tensor::empty(x.shape(), x.dtype()), dfactors = Tensor::empty({n});
           kernels().scatter_rows_backward(dy.f32(), {x.data(), x.dtype()}, to->data(),
                                           factors.f32(), {dx.data(), dx.dtype()}, dfactors.f32(),
                                           n, D);
           if (const auto [dw, beta] = grads.into(2); dw) {
             if (beta == 0) dw.fill(0);
             for (int64_t i = 0; i < n; ++i)
               dw.f32()[(*from)[static_cast<size_t>(i)]] += dfactors.f32()[i];
           }
           grads.give(1, dx);
           grads.give(0, dy);
         });
  return y;
}

}  // namespace malssi
