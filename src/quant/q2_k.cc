// Q2_K: sixteen runs of 16 numbers of two bits above a minimum; scales and minima of four bits.
#include <algorithm>
#include <cmath>

#include "quant/blocks.h"
#include "quant/format_list.h"
#include "quant/search_eight.h"

namespace malssi {
namespace {

constexpr int kRun = 16, kRuns = kSuperBlock / kRun;
constexpr AffineSearch kSearch = {-0.5f, 0.1f, 15, true};

struct Runs {
  float scales[kRuns], mins[kRuns], weights[kRuns];  // weights: summed over the run
  uint8_t levels[kSuperBlock];
};

// Runs `first` to first + 7.
void fit_eight(const float* x, const float* importance, float variance, int first, Runs& runs) {
  EightRuns eight;
  for (int lane = 0; lane < EightRuns::kLanes; ++lane) {
    const int run = first + lane;
    const float* numbers = x + run * kRun;
    float weights[kRun];
    if (importance)
      weigh(kRun, numbers, importance + run * kRun, variance, weights);
    else
      for (int i = 0; i < kRun; ++i) weights[i] = std::fabs(numbers[i]);
    runs.weights[run] = 0;
    for (const float weight : weights) runs.weights[run] += weight;
    eight.set_run(lane, kRun, numbers, weights);
  }
  fit_affine_eight(kRun, 3, importance ? kImportanceSearch : kSearch, eight);
  for (int lane = 0; lane < EightRuns::kLanes; ++lane) {
    eight.get_levels(lane, kRun, runs.levels + (first + lane) * kRun);
    runs.scales[first + lane] = eight.scales[lane];
    runs.mins[first + lane] = eight.mins[lane];
  }
}

void fit_runs(const float* x, const float* importance, Runs& runs) {
  const float variance = importance ? sum_of_squares(x, kSuperBlock) / kSuperBlock : 0;
  for (int first = 0; first < kRuns; first += EightRuns::kLanes)
    fit_eight(x, importance, variance, first, runs);
}

// Levels of four bits for the runs' scales or minima; returns their common scale.
float quantise_scales(const float* scales, const float* weights, uint8_t* levels) {
  if (weights) return fit_positive(kRuns, 15, scales, weights, levels);
  float largest = 0;
  for (int run = 0; run < kRuns; ++run) largest = std::max(largest, scales[run]);
  const float inverse = largest > 0 ? 15.0f / largest : 0;
  for (int run = 0; run < kRuns; ++run)
    levels[run] = static_cast<uint8_t>(nearest_level(inverse * scales[run]));
  return largest / 15.0f;
}

void pack_block(const float* x, const float* importance, BlockQ2K& block) {
  Runs runs;
  fit_runs(x, importance, runs);
  const float* weights = importance ? runs.weights : nullptr;
  uint8_t scales[kRuns], mins[kRuns];
  block.d = float_to_half(quantise_scales(runs.scales, weights, scales));
  block.dmin = float_to_half(quantise_scales(runs.mins, weights, mins));
  const float d = half_to_float(block.d), dmin = half_to_float(block.dmin);
  for (int run = 0; run < kRuns; ++run) {
    block.scales[run] = static_cast<uint8_t>(scales[run] | (mins[run] << 4));
    const float scale = d * static_cast<float>(block.scales[run] & 15);
    const float min = dmin * static_cast<float>(block.scales[run] >> 4);
    for (int i = run * kRun; scale != 0 && i < (run + 1) * kRun; ++i)
      runs.levels[i] = static_cast<uint8_t>(clamp_level(nearest_level((x[i] + min) / scale), 0, 3));
  }
  for (int half = 0; half < 2; ++half)
    for (int i = 0; i < 32; ++i) {
      const uint8_t* level = runs.levels + 128 * half + i;
      block.q[32 * half + i] =
          static_cast<uint8_t>(level[0] | (level[32] << 2) | (level[64] << 4) | (level[96] << 6));
    }
}

void pack(const float* x, const float* importance, void* blocks, int64_t n) {
  auto* block = static_cast<BlockQ2K*>(blocks);
  for (int64_t at = 0; at < n; at += kSuperBlock)
    pack_block(x + at, importance ? importance + at : nullptr, *block++);
}

void unpack(const void* blocks, float* x, int64_t n) {
  const auto* block = static_cast<const BlockQ2K*>(blocks);
  for (int64_t at = 0; at < n; at += kSuperBlock, ++block) {
    const float d = half_to_float(block->d), dmin = half_to_float(block->dmin);
    for (int run = 0; run < kRuns; ++run) {
      const float scale = d * static_cast<float>(block->scales[run] & 15);
      const float min = dmin * static_cast<float>(block->scales[run] >> 4);
      const uint8_t* q = block->q + run / 8 * 32 + run % 2 * kRun;
      const int shift = run % 8 / 2 * 2;
      for (int i = 0; i < kRun; ++i)
        x[at + run * kRun + i] = scale * static_cast<float>((q[i] >> shift) & 3) - min;
    }
  }
}

}  // namespace

const QuantFormat kQ2K = {DType::q2_k, "q2_k", pack, unpack};

}  // namespace malssi
