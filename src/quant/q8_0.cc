// Q8_0: 32 numbers, one scale, whole bytes.
#include <algorithm>
#include <cmath>

#include "quant/blocks.h"
#include "quant/format_list.h"
#include "quant/search.h"

namespace malssi {
namespace {

// The nearest integer, halves away from zero: std::round, but without a call. 0 of an infinite quotient of numbers too small
// for a scale.
int rounded(float x) {
  const int even = nearest_level(x);
  const float rest = x - static_cast<float>(even);
  const int up = static_cast<int>(rest == 0.5f) & static_cast<int>(x > 0);
  const int down = static_cast<int>(rest == -0.5f) & static_cast<int>(x < 0);
  return even + up - down;
}

void pack(const float* x, const float*, void* blocks, int64_t n) {
  auto* block = static_cast<BlockQ8_0*>(blocks);
  for (int64_t at = 0; at < n; at += kBlock, ++block) {
    float largest = 0;
    for (int j = 0; j < kBlock; ++j) largest = std::max(largest, std::fabs(x[at + j]));
    const float d = largest / 127;
    const float inverse = d != 0 ? 1.0f / d : 0.0f;
    block->d = float_to_half(d);
    for (int j = 0; j < kBlock; ++j)
      block->q[j] = static_cast<int8_t>(rounded(x[at + j] * inverse));
  }
}

void unpack(const void* blocks, float* x, int64_t n) {
  const auto* block = static_cast<const BlockQ8_0*>(blocks);
  for (int64_t at = 0; at < n; at += kBlock, ++block) {
    const float d = half_to_float(block->d);
    for (int j = 0; j < kBlock; ++j) x[at + j] = static_cast<float>(block->q[j]) * d;
  }
}

}  // namespace

const QuantFormat kQ8_0 = {DType::q8_0, "q8_0", pack, unpack};

}  // namespace malssi
