// Q3_K: sixteen runs of 16 numbers of three bits around zero; scales of six bits.
#include <cmath>
#include <cstring>

#include "quant/blocks.h"
#include "quant/format_list.h"
#include "quant/search.h"

namespace malssi {
namespace {

constexpr int kRun = 16, kRuns = kSuperBlock / kRun;

// Levels 0 .. 63 of the runs' scales; returns their common scale.
float quantise_scales(const float* scales, uint8_t* levels) {
  const float largest = largest_magnitude(scales, kRuns);
  if (largest == 0) {
    std::memset(levels, 0, kRuns);
    return 0;
  }
  const float inverse = -32.0f / largest;
  for (int run = 0; run < kRuns; ++run)
    levels[run] =
        static_cast<uint8_t>(clamp_level(nearest_level(inverse * scales[run]), -32, 31) + 32);
  return 1 / inverse;
}

// The levels of the runs' scales; returns the block's scale.
float fit_runs(const float* x, const float* importance, uint8_t* levels, uint8_t* scale_levels) {
  float scales[kRuns], sums[kRuns];
  const float variance = importance ? 2 * sum_of_squares(x, kSuperBlock) / kSuperBlock : 0;
  for (int run = 0; run < kRuns; ++run) {
    const float* numbers = x + run * kRun;
    if (!importance) {
      scales[run] = fit_symmetric_by_exchange(kRun, 4, numbers, levels + run * kRun);
      continue;
    }
    float weights[kRun];
    weigh(kRun, numbers, importance + run * kRun, variance, weights);
    sums[run] = 0;
    for (const float weight : weights) sums[run] += weight;
    scales[run] = fit_symmetric(kRun, 4, numbers, weights, levels + run * kRun);
  }
  return importance ? fit_symmetric(kRuns, 32, scales, sums, scale_levels)
                    : quantise_scales(scales, scale_levels);
}

void set_scales(const uint8_t* levels, uint8_t* packed) {
  std::memset(packed, 0, 12);
  for (int run = 0; run < kRuns; ++run) {
    packed[run % 8] |= static_cast<uint8_t>((levels[run] & 15) << (run < 8 ? 0 : 4));
    packed[8 + run % 4] |= static_cast<uint8_t>((levels[run] >> 4) << (2 * (run / 4)));
  }
}

void set_levels(const uint8_t* levels, BlockQ3K& block) {
  std::memset(block.high, 0, sizeof(block.high));
  std::memset(block.q, 0, sizeof(block.q));
  for (int i = 0; i < kSuperBlock; ++i) {
    block.high[i % 32] |= static_cast<uint8_t>((levels[i] >> 2) << (i / 32));
    block.q[i / 128 * 32 + i % 32] |= static_cast<uint8_t>((levels[i] & 3) << (i % 128 / 32 * 2));
  }
}

void pack_block(const float* x, const float* importance, BlockQ3K& block) {
  uint8_t levels[kSuperBlock], scale_levels[kRuns];
  block.d = float_to_half(fit_runs(x, importance, levels, scale_levels));
  // All-zero runs have no scale to round to, and of an all-zero block not even the scales' levels count.
  set_scales(scale_levels, block.scales);
  const float d = half_to_float(block.d);
  for (int run = 0; run < kRuns; ++run) {
    const float scale = d * static_cast<float>(packed_scale_q3(block.scales, run));
    for (int i = run * kRun; scale != 0 && i < (run + 1) * kRun; ++i)
      levels[i] = static_cast<uint8_t>(clamp_level(nearest_level(x[i] / scale), -4, 3) + 4);
  }
  set_levels(levels, block);
}

void pack(const float* x, const float* importance, void* blocks, int64_t n) {
  auto* block = static_cast<BlockQ3K*>(blocks);
  for (int64_t at = 0; at < n; at += kSuperBlock)
    pack_block(x + at, importance ? importance + at : nullptr, *block++);
}

void unpack(const void* blocks, float* x, int64_t n) {
  const auto* block = static_cast<const BlockQ3K*>(blocks);
  for (int64_t at = 0; at < n; at += kSuperBlock, ++block) {
    const float d = half_to_float(block->d);
    for (int run = 0; run < kRuns; ++run) {
      const float scale = d * static_cast<float>(packed_scale_q3(block->scales, run));
      const int column = run % 2 * kRun, bit = run / 2, shift = run % 8 / 2 * 2;
      const uint8_t* q = block->q + run / 8 * 32 + column;
      const uint8_t* high = block->high + column;
      for (int i = 0; i < kRun; ++i) {
        const int level = ((q[i] >> shift) & 3) - (((high[i] >> bit) & 1) != 0 ? 0 : 4);
        x[at + run * kRun + i] = scale * static_cast<float>(level);
      }
    }
  }
}

}  // namespace

const QuantFormat kQ3K = {DType::q3_k, "q3_k", pack, unpack};

}  // namespace malssi
