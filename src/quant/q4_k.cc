// Q4_K and Q5_K: eight runs of 32 numbers of four or five bits above a minimum; scales and minima of six bits.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "quant/blocks.h"
#include "quant/format_list.h"
#include "quant/search_eight.h"

namespace malssi {
namespace {

constexpr int kRun = 32, kRuns = kSuperBlock / kRun;
constexpr AffineSearch kSearchQ4 = {-1.0f, 0.1f, 20}, kSearchQ5 = {-0.5f, 0.1f, 15};

struct Runs {
  float scales[kRuns], mins[kRuns], weights[kRuns];  // weights: summed over the run
  uint8_t levels[kSuperBlock];
};

void weigh_by_size(const float* x, float* weights) {
  const float typical = std::sqrt(sum_of_squares(x, kRun) / kRun);
  for (int i = 0; i < kRun; ++i) weights[i] = typical + std::fabs(x[i]);
}

void fit_runs(const float* x, const float* importance, int most, const AffineSearch& search,
              Runs& runs) {
  static_assert(kRuns == EightRuns::kLanes);
  const float variance = importance ? 2 * sum_of_squares(x, kSuperBlock) / kSuperBlock : 0;
  EightRuns eight;
  for (int run = 0; run < kRuns; ++run) {
    const float* numbers = x + run * kRun;
    float weights[kRun];
    if (importance)
      weigh(kRun, numbers, importance + run * kRun, variance, weights);
    else
      weigh_by_size(numbers, weights);
    runs.weights[run] = 0;
    for (const float weight : weights) runs.weights[run] += weight;
    eight.set_run(run, kRun, numbers, weights);
  }
  fit_affine_eight(kRun, most, importance ? kImportanceSearch : search, eight);
  for (int run = 0; run < kRuns; ++run) {
    eight.get_levels(run, kRun, runs.levels + run * kRun);
    runs.scales[run] = eight.scales[run];
    runs.mins[run] = eight.mins[run];
  }
}

// Levels of six bits for the runs' scales or minima; returns their common scale.
float quantise_scales(const float* scales, const float* weights, uint8_t* levels) {
  if (weights) return fit_positive(kRuns, 63, scales, weights, levels);
  float largest = 0;
  for (int run = 0; run < kRuns; ++run) largest = std::max(largest, scales[run]);
  const float inverse = largest > 0 ? 63.0f / largest : 0;
  for (int run = 0; run < kRuns; ++run)
    levels[run] = static_cast<uint8_t>(nearest_level(inverse * scales[run]));
  return largest / 63.0f;
}

void set_scales(const uint8_t* scales, const uint8_t* mins, uint8_t* packed) {
  for (int run = 0; run < kRuns; ++run) {
    const int scale = std::min<int>(63, scales[run]), min = std::min<int>(63, mins[run]);
    if (run < 4) {
      packed[run] = static_cast<uint8_t>(scale);
      packed[run + 4] = static_cast<uint8_t>(min);
    } else {
      packed[run + 4] = static_cast<uint8_t>((scale & 15) | ((min & 15) << 4));
      packed[run - 4] |= static_cast<uint8_t>((scale >> 4) << 6);
      packed[run] |= static_cast<uint8_t>((min >> 4) << 6);
    }
  }
}

// Scales, and the levels that are nearest with the rounded scales.
template <class Block>
void pack_runs(const float* x, const float* importance, int most, const AffineSearch& search,
               Block& block, Runs& runs) {
  fit_runs(x, importance, most, search, runs);
  const float* weights = importance ? runs.weights : nullptr;
  uint8_t scales[kRuns], mins[kRuns];
  block.d = float_to_half(quantise_scales(runs.scales, weights, scales));
  block.dmin = float_to_half(quantise_scales(runs.mins, weights, mins));
  set_scales(scales, mins, block.scales);
  const float d = half_to_float(block.d), dmin = half_to_float(block.dmin);
  for (int run = 0; run < kRuns; ++run) {
    const ScaleMin packed = packed_scale(block.scales, run);
    const float scale = d * packed.scale, min = dmin * packed.min;
    for (int i = run * kRun; scale != 0 && i < (run + 1) * kRun; ++i)
      runs.levels[i] =
          static_cast<uint8_t>(clamp_level(nearest_level((x[i] + min) / scale), 0, most));
  }
}

// The low four bits of the levels: number j of each 64 with number j + 32.
void set_low_bits(const uint8_t* levels, uint8_t* q) {
  for (int i = 0; i < kSuperBlock / 2; ++i) {
    const uint8_t* pair = levels + i / kRun * 2 * kRun + i % kRun;
    q[i] = static_cast<uint8_t>((pair[0] & 15) | ((pair[kRun] & 15) << 4));
  }
}

void pack_q4_k(const float* x, const float* importance, void* blocks, int64_t n) {
  auto* block = static_cast<BlockQ4K*>(blocks);
  Runs runs;
  for (int64_t at = 0; at < n; at += kSuperBlock, ++block) {
    pack_runs(x + at, importance ? importance + at : nullptr, 15, kSearchQ4, *block, runs);
    set_low_bits(runs.levels, block->q);
  }
}

void pack_q5_k(const float* x, const float* importance, void* blocks, int64_t n) {
  auto* block = static_cast<BlockQ5K*>(blocks);
  Runs runs;
  for (int64_t at = 0; at < n; at += kSuperBlock, ++block) {
    pack_runs(x + at, importance ? importance + at : nullptr, 31, kSearchQ5, *block, runs);
    set_low_bits(runs.levels, block->q);
    std::memset(block->high, 0, sizeof(block->high));
    for (int i = 0; i < kSuperBlock; ++i)
      block->high[i % kRun] |= static_cast<uint8_t>((runs.levels[i] >> 4) << (i / kRun));
  }
}

template <class Block, class Level>
void unpack_runs(const Block& block, float* x, Level&& level) {
  const float d = half_to_float(block.d), dmin = half_to_float(block.dmin);
  for (int run = 0; run < kRuns; ++run) {
    const ScaleMin packed = packed_scale(block.scales, run);
    const float scale = d * packed.scale, min = dmin * packed.min;
    for (int i = 0; i < kRun; ++i)
      x[run * kRun + i] = scale * static_cast<float>(level(run, i)) - min;
  }
}

int low_bits(const uint8_t* q, int run, int i) {
  return (q[run / 2 * kRun + i] >> (run % 2 * 4)) & 15;
}

void unpack_q4_k(const void* blocks, float* x, int64_t n) {
  const auto* block = static_cast<const BlockQ4K*>(blocks);
  for (int64_t at = 0; at < n; at += kSuperBlock, ++block)
    unpack_runs(*block, x + at, [&](int run, int i) { return low_bits(block->q, run, i); });
}

void unpack_q5_k(const void* blocks, float* x, int64_t n) {
  const auto* block = static_cast<const BlockQ5K*>(blocks);
  for (int64_t at = 0; at < n; at += kSuperBlock, ++block)
    unpack_runs(*block, x + at, [&](int run, int i) {
      return low_bits(block->q, run, i) | (((block->high[i] >> run) & 1) << 4);
    });
}

}  // namespace

const QuantFormat kQ4K = {DType::q4_k, "q4_k", pack_q4_k, unpack_q4_k};
const QuantFormat kQ5K = {DType::q5_k, "q5_k", pack_q5_k, unpack_q5_k};

}  // namespace malssi
