// Q4_0, Q4_1, Q5_0 and Q5_1: 32 numbers of four or five bits, around zero or above a minimum.
#include <algorithm>
#include <cstring>

#include "quant/blocks.h"
#include "quant/format_list.h"
#include "quant/search.h"

namespace malssi {
namespace {

constexpr int kHalf = kBlock / 2;

template <class Block>
constexpr bool kHasFifth = requires(Block block) {
  block.high;
};
template <class Block>
constexpr bool kHasMinimum = requires(Block block) {
  block.min;
};
template <class Block>
constexpr int kTop = kHasFifth<Block> ? 31 : 15;
template <class Block>
constexpr int kZero = kHasMinimum<Block> ? 0 : (kTop<Block> + 1) / 2;

// The low four bits of each level into q, the fifth into high.
template <class Block>
void set_levels(const uint8_t* levels, Block& block) {
  for (int j = 0; j < kHalf; ++j)
    block.q[j] = static_cast<uint8_t>((levels[j] & 15) | ((levels[j + kHalf] & 15) << 4));
  if constexpr (kHasFifth<Block>) {
    uint32_t fifth = 0;
    for (int j = 0; j < kBlock; ++j) fifth |= static_cast<uint32_t>((levels[j] >> 4) & 1) << j;
    std::memcpy(block.high, &fifth, sizeof(fifth));
  }
}

template <class Block>
void get_levels(const Block& block, uint8_t* levels) {
  for (int j = 0; j < kHalf; ++j) {
    levels[j] = block.q[j] & 15;
    levels[j + kHalf] = block.q[j] >> 4;
  }
  if constexpr (kHasFifth<Block>) {
    uint32_t fifth;
    std::memcpy(&fifth, block.high, sizeof(fifth));
    for (int j = 0; j < kBlock; ++j)
      levels[j] = static_cast<uint8_t>(levels[j] | (((fifth >> j) & 1) << 4));
  }
}

// Each level round((x - min) / d), all but exactly.
template <class Block>
void pack_block(const float* x, Block& block) {
  constexpr int top = kTop<Block>;
  float min = 0, d;
  if constexpr (kHasMinimum<Block>) {
    min = *std::min_element(x, x + kBlock);
    d = (*std::max_element(x, x + kBlock) - min) / top;
    block.min = float_to_half(min);
  } else {
    d = largest_magnitude(x, kBlock) / -kZero<Block>;
  }
  const float inverse = d != 0 ? 1.0f / d : 0.0f;
  constexpr float half = kZero<Block> + 0.5f;
  uint8_t levels[kBlock];
  for (int j = 0; j < kBlock; ++j) {
    const auto level = static_cast<int8_t>(whole_part((x[j] - min) * inverse + half));
    levels[j] = static_cast<uint8_t>(std::min(top, static_cast<int>(level)));
  }
  block.d = float_to_half(d);
  set_levels(levels, block);
}

// The same by what the errors of each number weigh.
template <class Block>
void fit_block(const float* x, const float* weights, Block& block) {
  uint8_t levels[kBlock];
  if constexpr (kHasMinimum<Block>) {
    const AffineFit fit = fit_affine(kBlock, kTop<Block>, x, weights, levels, kImportanceSearch);
    block.d = float_to_half(fit.scale);
    block.min = float_to_half(-fit.min);
  } else {
    block.d = float_to_half(fit_symmetric(kBlock, kZero<Block>, x, weights, levels));
  }
  set_levels(levels, block);
}

template <class Block>
void pack(const float* x, const float* importance, void* blocks, int64_t n) {
  auto* block = static_cast<Block*>(blocks);
  const float variance = importance ? sum_of_squares(x, n) / static_cast<float>(n) : 0;
  for (int64_t at = 0; at < n; at += kBlock, ++block) {
    if (!importance) {
      pack_block(x + at, *block);
      continue;
    }
    float weights[kBlock];
    weigh(kBlock, x + at, importance + at, variance, weights);
    fit_block(x + at, weights, *block);
  }
}

template <class Block>
void unpack(const void* blocks, float* x, int64_t n) {
  const auto* block = static_cast<const Block*>(blocks);
  uint8_t levels[kBlock];
  for (int64_t at = 0; at < n; at += kBlock, ++block) {
    const float d = half_to_float(block->d);
    get_levels(*block, levels);
    for (int j = 0; j < kBlock; ++j) x[at + j] = static_cast<float>(levels[j] - kZero<Block>) * d;
    if constexpr (kHasMinimum<Block>)
      for (int j = 0; j < kBlock; ++j) x[at + j] += half_to_float(block->min);
  }
}

}  // namespace

const QuantFormat kQ4_0 = {DType::q4_0, "q4_0", pack<BlockQ4_0>, unpack<BlockQ4_0>};
const QuantFormat kQ4_1 = {DType::q4_1, "q4_1", pack<BlockQ4_1>, unpack<BlockQ4_1>};
const QuantFormat kQ5_0 = {DType::q5_0, "q5_0", pack<BlockQ5_0>, unpack<BlockQ5_0>};
const QuantFormat kQ5_1 = {DType::q5_1, "q5_1", pack<BlockQ5_1>, unpack<BlockQ5_1>};

}  // namespace malssi
