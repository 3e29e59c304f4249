// Q6_K: sixteen runs of 16 numbers of six bits around zero; scales of eight bits.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "quant/blocks.h"
#include "quant/format_list.h"
#include "quant/search_eight.h"

namespace malssi {
namespace {

constexpr int kRun = 16, kRuns = kSuperBlock / kRun;

// Numbers j, j + 32, j + 64, j + 96 of each 128: low bits in bytes j and j + 32, high bits in byte j.
void set_levels(const uint8_t* levels, BlockQ6K& block) {
  for (int half = 0; half < 2; ++half)
    for (int i = 0; i < 32; ++i) {
      const uint8_t* level = levels + 128 * half + i;
      uint8_t* low = block.low + 64 * half + i;
      low[0] = static_cast<uint8_t>((level[0] & 15) | ((level[64] & 15) << 4));
      low[32] = static_cast<uint8_t>((level[32] & 15) | ((level[96] & 15) << 4));
      block.high[32 * half + i] =
          static_cast<uint8_t>((level[0] >> 4) | ((level[32] >> 4) << 2) | ((level[64] >> 4) << 4) |
                               ((level[96] >> 4) << 6));
    }
}

// Levels and scales of runs `first` to first + 7.
void fit_eight(const float* x, const float* importance, int first, float* scales, uint8_t* levels) {
  EightRuns eight;
  for (int lane = 0; lane < EightRuns::kLanes; ++lane) {
    const float* numbers = x + (first + lane) * kRun;
    float squares[kRun];
    for (int i = 0; i < kRun; ++i) squares[i] = numbers[i] * numbers[i];
    eight.set_run(lane, kRun, numbers, importance ? importance + (first + lane) * kRun : squares);
  }
  fit_symmetric_eight(kRun, 32, eight);
  for (int lane = 0; lane < EightRuns::kLanes; ++lane) {
    eight.get_levels(lane, kRun, levels + (first + lane) * kRun);
    scales[first + lane] = eight.scales[lane];
  }
}

void pack_block(const float* x, const float* importance, BlockQ6K& block) {
  uint8_t levels[kSuperBlock];
  float scales[kRuns];
  for (int first = 0; first < kRuns; first += EightRuns::kLanes)
    fit_eight(x, importance, first, scales, levels);
  const float largest = largest_magnitude(scales, kRuns);
  if (std::fabs(largest) < kAllZero) {
    std::memset(&block, 0, sizeof(block));
    return;
  }
  const float inverse = -128.0f / largest;
  block.d = float_to_half(1 / inverse);
  const float d = half_to_float(block.d);
  for (int run = 0; run < kRuns; ++run) {
    block.scales[run] = static_cast<int8_t>(std::min(127, nearest_level(inverse * scales[run])));
    const float scale = d * static_cast<float>(block.scales[run]);
    for (int i = run * kRun; scale != 0 && i < (run + 1) * kRun; ++i)
      levels[i] = static_cast<uint8_t>(clamp_level(nearest_level(x[i] / scale), -32, 31) + 32);
  }
  set_levels(levels, block);
}

void pack(const float* x, const float* importance, void* blocks, int64_t n) {
  auto* block = static_cast<BlockQ6K*>(blocks);
  for (int64_t at = 0; at < n; at += kSuperBlock)
    pack_block(x + at, importance ? importance + at : nullptr, *block++);
}

void unpack(const void* blocks, float* x, int64_t n) {
  const auto* block = static_cast<const BlockQ6K*>(blocks);
  for (int64_t at = 0; at < n; at += kSuperBlock, ++block) {
    const float d = half_to_float(block->d);
    for (int i = 0; i < kSuperBlock; ++i) {
      const int half = i / 128, quarter = i % 128 / 32, column = i % 32;
      const int low = block->low[64 * half + quarter % 2 * 32 + column] >> (quarter / 2 * 4) & 15;
      const int high = (block->high[32 * half + column] >> (2 * quarter)) & 3;
      const float scale = d * static_cast<float>(block->scales[i / kRun]);
      x[at + i] = scale * static_cast<float>((low | (high << 4)) - 32);
    }
  }
}

}  // namespace

const QuantFormat kQ6K = {DType::q6_k, "q6_k", pack, unpack};

}  // namespace malssi
