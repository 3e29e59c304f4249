// A mixture of experts (Shazeer et al. 2017; Fedus et al. 2021): which experts see a token, and the ways there and back.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "tensor/tensor.h"

namespace malssi {

enum class RouteWeights { probabilities, renormalised };

// The experts of each token, the likeliest first.
struct Route {
  std::vector<int32_t> experts;  // [N, k]
  Tensor weights;                // f32 [N, k], of the experts' results
};

// logits f32 [N, experts] -> the k likeliest experts with their softmax probabilities, which `renormalised` makes sum to 1.
// Throws Error unless 1 <= k <= experts.
Route route(const Tensor& logits, int64_t k, RouteWeights kind);

// 1 / (1 + e^-x), element by element; x f32.
Tensor sigmoid(const Tensor& x);

// x [N, D] f32 or bf16 -> its rows [n, D].
Tensor gather_rows(const Tensor& x, std::span<const int32_t> rows);
// sum f32 [N, D]; sum[rows[i]] += weights[places[i]] x[i], IN PLACE: sum itself must not be used afterwards, only the result.
// x [n, D] f32 or bf16, weights f32 (read as one list), no row twice.
Tensor scatter_rows_in_place(const Tensor& sum, const Tensor& x, std::span<const int32_t> rows,
                             const Tensor& weights, std::span<const int32_t> places);

}  // namespace malssi
