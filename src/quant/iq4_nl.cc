// IQ4_NL and MXFP4: 32 numbers, each one of sixteen unevenly spaced values times the block's scale.
#include <algorithm>
#include <bit>
#include <cmath>

#include "quant/blocks.h"
#include "quant/format_list.h"
#include "quant/search.h"

namespace malssi {
namespace {

constexpr int kHalf = kBlock / 2;

void set_levels(const uint8_t* levels, uint8_t* q) {
  for (int j = 0; j < kHalf; ++j) q[j] = static_cast<uint8_t>(levels[j] | (levels[j + kHalf] << 4));
}

// The nearest of kIq4Values, the upper one where two are as near.
int nearest_value(float x) {
  if (x <= kIq4Values[0]) return 0;
  if (x >= kIq4Values[15]) return 15;
  int below = 0, above = 15;
  while (above - below > 1) {
    const int middle = (below + above) / 2;
    (x < kIq4Values[middle] ? above : below) = middle;
  }
  return x - kIq4Values[below] < kIq4Values[above] - x ? below : above;
}

struct Sums {
  float qx = 0, qq = 0;
};

Sums fit_sums(const float* x, const float* weights, float inverse) {
  Sums sums;
  for (int j = 0; j < kBlock; ++j) {
    const float q = kIq4Values[nearest_value(inverse * x[j])];
    sums.qx += weights[j] * q * x[j];
    sums.qq += weights[j] * q * q;
  }
  return sums;
}

// The best of fifteen scales that bring the largest number near the end of the table.
float fit_scale(const float* x, const float* weights) {
  constexpr int kTries = 7;
  const float largest = largest_magnitude(x, kBlock);
  if (std::fabs(largest) < kAllZero) return 0;
  Sums sums = fit_sums(x, weights, 1 / (-largest / static_cast<float>(kIq4Values[0])));
  float scale = sums.qq > 0 ? sums.qx / sums.qq : 0;
  float best = scale * sums.qx;
  for (int step = -kTries; step <= kTries; ++step) {
    sums = fit_sums(x, weights, static_cast<float>(step + kIq4Values[0]) / largest);
    if (!(sums.qq > 0 && sums.qx * sums.qx > best * sums.qq)) continue;
    scale = sums.qx / sums.qq;
    best = scale * sums.qx;
  }
  return scale;
}

void pack_iq4_nl(const float* x, const float* importance, void* blocks, int64_t n) {
  auto* block = static_cast<BlockIq4Nl*>(blocks);
  for (int64_t at = 0; at < n; at += kBlock, ++block) {
    const float* run = x + at;
    float weights[kBlock];
    if (importance)
      weigh(kBlock, run, importance + at, sum_of_squares(run, kBlock) * (2.0f / kBlock), weights);
    else
      for (int j = 0; j < kBlock; ++j) weights[j] = run[j] * run[j];
    const float scale = fit_scale(run, weights);
    const float inverse = scale != 0 ? 1 / scale : 0;
    uint8_t levels[kBlock];
    for (int j = 0; j < kBlock; ++j)
      levels[j] = static_cast<uint8_t>(nearest_value(inverse * run[j]));
    block->d = float_to_half(scale);
    set_levels(levels, block->q);
  }
}

void unpack_iq4_nl(const void* blocks, float* x, int64_t n) {
  const auto* block = static_cast<const BlockIq4Nl*>(blocks);
  for (int64_t at = 0; at < n; at += kBlock, ++block) {
    const float d = half_to_float(block->d);
    for (int j = 0; j < kHalf; ++j) {
      x[at + j] = d * static_cast<float>(kIq4Values[block->q[j] & 15]);
      x[at + j + kHalf] = d * static_cast<float>(kIq4Values[block->q[j] >> 4]);
    }
  }
}

// 2^(exponent - 128), also where that is below the normal floats.
float power_scale(uint8_t exponent) {
  const uint32_t bits =
      exponent < 2 ? 0x00200000u << exponent : static_cast<uint32_t>(exponent - 1) << 23;
  return std::bit_cast<float>(bits);
}

uint8_t nearest_fp4(float x, float scale) {
  int best = 0;
  float least = std::fabs(static_cast<float>(kFp4Values[0]) * scale - x);
  for (int i = 1; i < 16; ++i) {
    const float error = std::fabs(static_cast<float>(kFp4Values[i]) * scale - x);
    if (error < least) least = error, best = i;
  }
  return static_cast<uint8_t>(best);
}

void pack_mxfp4(const float* x, const float*, void* blocks, int64_t n) {
  auto* block = static_cast<BlockMxfp4*>(blocks);
  for (int64_t at = 0; at < n; at += kBlock, ++block) {
    const float largest = std::fabs(largest_magnitude(x + at, kBlock));
    const float exponent = largest > 0 ? std::floor(std::log2(largest)) - 2 + 127 : 0;
    block->exponent = static_cast<uint8_t>(whole_part(exponent));
    const float scale = power_scale(block->exponent);
    uint8_t levels[kBlock];
    for (int j = 0; j < kBlock; ++j) levels[j] = nearest_fp4(x[at + j], scale);
    set_levels(levels, block->q);
  }
}

void unpack_mxfp4(const void* blocks, float* x, int64_t n) {
  const auto* block = static_cast<const BlockMxfp4*>(blocks);
  for (int64_t at = 0; at < n; at += kBlock, ++block) {
    const float scale = power_scale(block->exponent);
    for (int j = 0; j < kHalf; ++j) {
      x[at + j] = static_cast<float>(kFp4Values[block->q[j] & 15]) * scale;
      x[at + j + kHalf] = static_cast<float>(kFp4Values[block->q[j] >> 4]) * scale;
    }
  }
}

}  // namespace

const QuantFormat kIq4Nl = {DType::iq4_nl, "iq4_nl", pack_iq4_nl, unpack_iq4_nl};
const QuantFormat kMxfp4 = {DType::mxfp4, "mxfp4", pack_mxfp4, unpack_mxfp4};

}  // namespace malssi
