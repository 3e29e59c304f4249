// Rotary positions (Su et al. 2021), in the layout of Llama as published by Hugging Face: pairs are (i, i + head_dim / 2).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "tensor/tensor.h"

namespace malssi {

// Cosines and sines of every position. [positions, head_dim / 2]
struct RopeTable {
  RopeTable() = default;
  RopeTable(int64_t positions, int64_t head_dim, double theta);
  std::vector<float> cosines, sines;
  int64_t head_dim = 0;
};

// Rotates the first `heads` heads of each row of x [N, W] IN PLACE: x itself must not be used afterwards, only the result.
Tensor rope_in_place(const Tensor& x, std::span<const int32_t> positions, const RopeTable& table,
                     int64_t heads);

}  // namespace malssi
