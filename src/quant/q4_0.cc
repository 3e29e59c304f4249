// Q4_0 and Q4_1: 32 numbers of four bits, around zero or above a minimum.
#include <algorithm>

#include "quant/blocks.h"
#include "quant/format_list.h"
#include "quant/search.h"

namespace malssi {
namespace {

constexpr int kHalf = kBlock / 2;

void set_levels(const uint8_t* levels, uint8_t* q) {
  for (int j = 0; j < kHalf; ++j) q[j] = static_cast<uint8_t>(levels[j] | (levels[j + kHalf] << 4));
}

// round(x / d) where x / d lies in 0 .. 15, all but exactly.
uint8_t level(float quotient) {
  return static_cast<uint8_t>(
      std::min(15, static_cast<int>(static_cast<int8_t>(whole_part(quotient)))));
}

void pack_around_zero(const float* x, BlockQ4_0& block) {
  const float d = largest_magnitude(x, kBlock) / -8;
  const float inverse = d != 0 ? 1.0f / d : 0.0f;
  uint8_t levels[kBlock];
  for (int j = 0; j < kBlock; ++j) levels[j] = level(x[j] * inverse + 8.5f);
  block.d = float_to_half(d);
  set_levels(levels, block.q);
}

void pack_q4_0(const float* x, const float* importance, void* blocks, int64_t n) {
  auto* block = static_cast<BlockQ4_0*>(blocks);
  const float variance = importance ? sum_of_squares(x, n) / static_cast<float>(n) : 0;
  for (int64_t at = 0; at < n; at += kBlock, ++block) {
    if (!importance) {
      pack_around_zero(x + at, *block);
      continue;
    }
    float weights[kBlock];
    uint8_t levels[kBlock];
    weigh(kBlock, x + at, importance + at, variance, weights);
    block->d = float_to_half(fit_symmetric(kBlock, 8, x + at, weights, levels));
    set_levels(levels, block->q);
  }
}

void unpack_q4_0(const void* blocks, float* x, int64_t n) {
  const auto* block = static_cast<const BlockQ4_0*>(blocks);
  for (int64_t at = 0; at < n; at += kBlock, ++block) {
    const float d = half_to_float(block->d);
    for (int j = 0; j < kHalf; ++j) {
      x[at + j] = static_cast<float>((block->q[j] & 15) - 8) * d;
      x[at + j + kHalf] = static_cast<float>((block->q[j] >> 4) - 8) * d;
    }
  }
}

void pack_above_minimum(const float* x, BlockQ4_1& block) {
  const float min = *std::min_element(x, x + kBlock);
  const float d = (*std::max_element(x, x + kBlock) - min) / 15;
  const float inverse = d != 0 ? 1.0f / d : 0.0f;
  uint8_t levels[kBlock];
  for (int j = 0; j < kBlock; ++j) levels[j] = level((x[j] - min) * inverse + 0.5f);
  block.d = float_to_half(d);
  block.min = float_to_half(min);
  set_levels(levels, block.q);
}

void pack_q4_1(const float* x, const float* importance, void* blocks, int64_t n) {
  auto* block = static_cast<BlockQ4_1*>(blocks);
  const float variance = importance ? sum_of_squares(x, n) / static_cast<float>(n) : 0;
  for (int64_t at = 0; at < n; at += kBlock, ++block) {
    if (!importance) {
      pack_above_minimum(x + at, *block);
      continue;
    }
    float weights[kBlock];
    uint8_t levels[kBlock];
    weigh(kBlock, x + at, importance + at, variance, weights);
    const AffineFit fit = fit_affine(kBlock, 15, x + at, weights, levels, kImportanceSearch);
    block->d = float_to_half(fit.scale);
    block->min = float_to_half(-fit.min);
    set_levels(levels, block->q);
  }
}

void unpack_q4_1(const void* blocks, float* x, int64_t n) {
  const auto* block = static_cast<const BlockQ4_1*>(blocks);
  for (int64_t at = 0; at < n; at += kBlock, ++block) {
    const float d = half_to_float(block->d), min = half_to_float(block->min);
    for (int j = 0; j < kHalf; ++j) {
      x[at + j] = static_cast<float>(block->q[j] & 15) * d + min;
      x[at + j + kHalf] = static_cast<float>(block->q[j] >> 4) * d + min;
    }
  }
}

}  // namespace

const QuantFormat kQ4_0 = {DType::q4_0, "q4_0", pack_q4_0, unpack_q4_0};
const QuantFormat kQ4_1 = {DType::q4_1, "q4_1", pack_q4_1, unpack_q4_1};

}  // namespace malssi
