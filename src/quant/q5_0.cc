// Q5_0 and Q5_1: 32 numbers of five bits, around zero or above a minimum.
#include <algorithm>
#include <cstring>

#include "quant/blocks.h"
#include "quant/format_list.h"
#include "quant/search.h"

namespace malssi {
namespace {

constexpr int kHalf = kBlock / 2;

// The low four bits of each level into q, the fifth into high.
void set_levels(const uint8_t* levels, uint8_t* q, uint8_t* high) {
  uint32_t fifth = 0;
  for (int j = 0; j < kHalf; ++j)
    q[j] = static_cast<uint8_t>((levels[j] & 15) | ((levels[j + kHalf] & 15) << 4));
  for (int j = 0; j < kBlock; ++j) fifth |= static_cast<uint32_t>((levels[j] >> 4) & 1) << j;
  std::memcpy(high, &fifth, sizeof(fifth));
}

void get_levels(const uint8_t* q, const uint8_t* high, uint8_t* levels) {
  uint32_t fifth;
  std::memcpy(&fifth, high, sizeof(fifth));
  for (int j = 0; j < kHalf; ++j) {
    levels[j] = static_cast<uint8_t>((q[j] & 15) | (((fifth >> j) & 1) << 4));
    levels[j + kHalf] = static_cast<uint8_t>((q[j] >> 4) | (((fifth >> (j + kHalf)) & 1) << 4));
  }
}

// round(x / d) where x / d lies in 0 .. 31, all but exactly.
uint8_t level(float quotient) {
  return static_cast<uint8_t>(
      std::min(31, static_cast<int>(static_cast<int8_t>(whole_part(quotient)))));
}

void pack_around_zero(const float* x, BlockQ5_0& block) {
  const float d = largest_magnitude(x, kBlock) / -16;
  const float inverse = d != 0 ? 1.0f / d : 0.0f;
  uint8_t levels[kBlock];
  for (int j = 0; j < kBlock; ++j) levels[j] = level(x[j] * inverse + 16.5f);
  block.d = float_to_half(d);
  set_levels(levels, block.q, block.high);
}

void pack_q5_0(const float* x, const float* importance, void* blocks, int64_t n) {
  auto* block = static_cast<BlockQ5_0*>(blocks);
  const float variance = importance ? sum_of_squares(x, n) / static_cast<float>(n) : 0;
  for (int64_t at = 0; at < n; at += kBlock, ++block) {
    if (!importance) {
      pack_around_zero(x + at, *block);
      continue;
    }
    float weights[kBlock];
    uint8_t levels[kBlock];
    weigh(kBlock, x + at, importance + at, variance, weights);
    block->d = float_to_half(fit_symmetric(kBlock, 16, x + at, weights, levels));
    set_levels(levels, block->q, block->high);
  }
}

void unpack_q5_0(const void* blocks, float* x, int64_t n) {
  const auto* block = static_cast<const BlockQ5_0*>(blocks);
  uint8_t levels[kBlock];
  for (int64_t at = 0; at < n; at += kBlock, ++block) {
    const float d = half_to_float(block->d);
    get_levels(block->q, block->high, levels);
    for (int j = 0; j < kBlock; ++j) x[at + j] = static_cast<float>(levels[j] - 16) * d;
  }
}

void pack_above_minimum(const float* x, BlockQ5_1& block) {
  const float min = *std::min_element(x, x + kBlock);
  const float d = (*std::max_element(x, x + kBlock) - min) / 31;
  const float inverse = d != 0 ? 1.0f / d : 0.0f;
  uint8_t levels[kBlock];
  for (int j = 0; j < kBlock; ++j) levels[j] = level((x[j] - min) * inverse + 0.5f);
  block.d = float_to_half(d);
  block.min = float_to_half(min);
  set_levels(levels, block.q, block.high);
}

void pack_q5_1(const float* x, const float* importance, void* blocks, int64_t n) {
  auto* block = static_cast<BlockQ5_1*>(blocks);
  const float variance = importance ? sum_of_squares(x, n) / static_cast<float>(n) : 0;
  for (int64_t at = 0; at < n; at += kBlock, ++block) {
    if (!importance) {
      pack_above_minimum(x + at, *block);
      continue;
    }
    float weights[kBlock];
    uint8_t levels[kBlock];
    weigh(kBlock, x + at, importance + at, variance, weights);
    const AffineFit fit = fit_affine(kBlock, 31, x + at, weights, levels, kImportanceSearch);
    block->d = float_to_half(fit.scale);
    block->min = float_to_half(-fit.min);
    set_levels(levels, block->q, block->high);
  }
}

void unpack_q5_1(const void* blocks, float* x, int64_t n) {
  const auto* block = static_cast<const BlockQ5_1*>(blocks);
  uint8_t levels[kBlock];
  for (int64_t at = 0; at < n; at += kBlock, ++block) {
    const float d = half_to_float(block->d), min = half_to_float(block->min);
    get_levels(block->q, block->high, levels);
    for (int j = 0; j < kBlock; ++j) x[at + j] = static_cast<float>(levels[j]) * d + min;
  }
}

}  // namespace

const QuantFormat kQ5_0 = {DType::q5_0, "q5_0", pack_q5_0, unpack_q5_0};
const QuantFormat kQ5_1 = {DType::q5_1, "q5_1", pack_q5_1, unpack_q5_1};

}  // namespace malssi
