// NF4: 64 numbers of four bits, each one of sixteen levels that split a normal distribution into equal parts, times the
// largest magnitude of the 64 (Dettmers et al. 2023, "QLoRA", section 3 and appendix E). Not of GGUF: weights are packed so
// while they are loaded.
#include <algorithm>
#include <cmath>

#include "quant/blocks.h"
#include "quant/format_list.h"

namespace malssi {
namespace {

// The nearest level; between two, the lower one.
uint8_t nearest_level(float x) {
  int level = 0;
  while (level < 15 && x > (kNf4Levels[level] + kNf4Levels[level + 1]) / 2) ++level;
  return static_cast<uint8_t>(level);
}

void pack_nf4(const float* x, const float*, void* blocks, int64_t n) {
  auto* block = static_cast<BlockNf4*>(blocks);
  for (int64_t at = 0; at < n; at += kNf4Block, ++block) {
    float largest = 0;
    for (int j = 0; j < kNf4Block; ++j) largest = std::max(largest, std::fabs(x[at + j]));
    block->largest = largest;
    for (int j = 0; j < kNf4Block / 2; ++j) {
      const float* const pair = x + at + j / 16 * 32 + j % 16;
      const auto level = [&](float value) {
        return nearest_level(largest > 0 ? value / largest : 0);
      };
      block->q[j] = static_cast<uint8_t>(level(pair[0]) | level(pair[16]) << 4);
    }
  }
}

void unpack_nf4(const void* blocks, float* x, int64_t n) {
  const auto* block = static_cast<const BlockNf4*>(blocks);
  for (int64_t at = 0; at < n; at += kNf4Block, ++block)
    for (int j = 0; j < kNf4Block / 2; ++j) {
      float* const pair = x + at + j / 16 * 32 + j % 16;
      pair[0] = kNf4Levels[block->q[j] & 15] * block->largest;
      pair[16] = kNf4Levels[block->q[j] >> 4] * block->largest;
    }
}

}  // namespace

const QuantFormat kNf4 = {DType::nf4, "nf4", pack_nf4, unpack_nf4};

}  // namespace malssi
