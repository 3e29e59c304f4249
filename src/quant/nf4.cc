// NF4: 64 numbers of four bits, each one of sixteen levels that split a normal distribution into equal parts, times the
// largest magnitude of the 64, in bf16 (Dettmers et al. 2023, "QLoRA", section 3 and appendix E): 4.25 bits a number. Not of
// GGUF: weights are packed so while they are loaded.
#include <algorithm>
#include <cmath>

#include "quant/blocks.h"
#include "quant/format_list.h"

namespace malssi {
namespace {

// The nearest level; between two, the lower one. Without a branch, so that the compiler takes many numbers at once.
void nearest_levels(const float* x, float largest, int32_t* levels) {
  for (int j = 0; j < kNf4Block; ++j) {
    const float part = x[j] / largest;
    int32_t level = 0;
    for (int next = 1; next < 16; ++next)
      level += part > (kNf4Levels[next - 1] + kNf4Levels[next]) / 2 ? 1 : 0;
    levels[j] = level;
  }
}

void pack_nf4(const float* x, const float*, void* blocks, int64_t n) {
  auto* block = static_cast<BlockNf4*>(blocks);
  for (int64_t at = 0; at < n; at += kNf4Block, ++block) {
    float largest = 0;
    for (int j = 0; j < kNf4Block; ++j) largest = std::max(largest, std::fabs(x[at + j]));
    block->largest = bf16(largest).bits;
    int32_t levels[kNf4Block];
    nearest_levels(x + at, largest > 0 ? largest : 1, levels);
    for (int j = 0; j < kNf4Block / 2; ++j) {
      const int32_t* const pair = levels + j / 16 * 32 + j % 16;
      block->q[j] = static_cast<uint8_t>(pair[0] | pair[16] << 4);
    }
  }
}

void unpack_nf4(const void* blocks, float* x, int64_t n) {
  const auto* block = static_cast<const BlockNf4*>(blocks);
  for (int64_t at = 0; at < n; at += kNf4Block, ++block) {
    bf16 largest;
    largest.bits = block->largest;
    const auto scale = static_cast<float>(largest);
    for (int j = 0; j < kNf4Block / 2; ++j) {
      float* const pair = x + at + j / 16 * 32 + j % 16;
      pair[0] = kNf4Levels[block->q[j] & 15] * scale;
      pair[16] = kNf4Levels[block->q[j] >> 4] * scale;
    }
  }
}

}  // namespace

const QuantFormat kNf4 = {DType::nf4, "nf4", pack_nf4, unpack_nf4};

}  // namespace malssi
