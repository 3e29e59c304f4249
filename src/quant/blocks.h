// The bit layouts of the block formats, as GGUF files hold them. A block is one run of a row: 32 numbers, or 256 in the
// "k" formats, whose scales are themselves quantised. `d` and `dmin` are half-precision scales.
#pragma once

#include <cstdint>

namespace malssi {

inline constexpr int kBlock = 32;        // numbers of a plain block
inline constexpr int kSuperBlock = 256;  // numbers of a k block
inline constexpr int kNf4Block = 64;

// x = d q
struct BlockQ8_0 {
  uint16_t d;
  int8_t q[kBlock];
};
// x = d (q - 8); numbers j and j + 16 share byte j, the first in the low half.
struct BlockQ4_0 {
  uint16_t d;
  uint8_t q[kBlock / 2];
};
// x = d q + min
struct BlockQ4_1 {
  uint16_t d, min;
  uint8_t q[kBlock / 2];
};
// x = d (q - 16); bit j of `high` is the fifth bit of number j.
struct BlockQ5_0 {
  uint16_t d;
  uint8_t high[4];
  uint8_t q[kBlock / 2];
};
// x = d q + min
struct BlockQ5_1 {
  uint16_t d, min;
  uint8_t high[4];
  uint8_t q[kBlock / 2];
};
// x = d table[q], with the table kIq4Values.
struct BlockIq4Nl {
  uint16_t d;
  uint8_t q[kBlock / 2];
};
// x = 2^(exponent - 128) table[q], with the table kFp4Values: OCP Microscaling Formats 1.0, whose E2M1 values are doubled
// here.
struct BlockMxfp4 {
  uint8_t exponent;
  uint8_t q[kBlock / 2];
};
// x = largest kNf4Levels[q]. Of each 32 numbers byte j holds j and j + 16.
struct BlockNf4 {
  uint16_t largest;  // bf16
  uint8_t q[kNf4Block / 2];
};

// Sixteen runs of 16: x = d (scale & 15) q - dmin (scale >> 4). Of each 128 numbers byte j holds j, j + 32, j + 64, j + 96.
struct BlockQ2K {
  uint8_t scales[16];
  uint8_t q[64];
  uint16_t d, dmin;
};
// Sixteen runs of 16: x = d (scale - 32) (q - 4), q of three bits: the upper one of number j is bit j / 32 of high[j % 32].
struct BlockQ3K {
  uint8_t high[32];
  uint8_t q[64];
  uint8_t scales[12];  // of six bits: packed_scale_q3()
  uint16_t d;
};
// Eight runs of 32: x = d scale q - dmin min. Of each 64 numbers byte j holds j and j + 32.
struct BlockQ4K {
  uint16_t d, dmin;
  uint8_t scales[12];  // of six bits: packed_scale()
  uint8_t q[128];
};
// The same with a fifth bit: bit j / 32 of high[j % 32].
struct BlockQ5K {
  uint16_t d, dmin;
  uint8_t scales[12];
  uint8_t high[32];
  uint8_t q[128];
};
// Sixteen runs of 16: x = d scale (q - 32), q of six bits, four in `low`, two in `high`.
struct BlockQ6K {
  uint8_t low[128];
  uint8_t high[64];
  int8_t scales[16];
  uint16_t d;
};

static_assert(sizeof(BlockQ8_0) == 34 && sizeof(BlockQ4_0) == 18 && sizeof(BlockQ4_1) == 20);
static_assert(sizeof(BlockQ5_0) == 22 && sizeof(BlockQ5_1) == 24 && sizeof(BlockIq4Nl) == 18);
static_assert(sizeof(BlockNf4) == 34);
static_assert(sizeof(BlockMxfp4) == 17 && sizeof(BlockQ2K) == 84 && sizeof(BlockQ3K) == 110);
static_assert(sizeof(BlockQ4K) == 144 && sizeof(BlockQ5K) == 176 && sizeof(BlockQ6K) == 210);

inline constexpr int8_t kIq4Values[16] = {-127, -104, -83, -65, -49, -35, -22, -10,
                                          1,    13,   25,  38,  53,  69,  89,  113};
inline constexpr int8_t kFp4Values[16] = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};

// Scale and minimum of run j of a Q4_K or Q5_K block.
struct ScaleMin {
  uint8_t scale, min;
};
inline ScaleMin packed_scale(const uint8_t* scales, int j) {
  if (j < 4)
    return {static_cast<uint8_t>(scales[j] & 63), static_cast<uint8_t>(scales[j + 4] & 63)};
  return {static_cast<uint8_t>((scales[j + 4] & 15) | ((scales[j - 4] >> 6) << 4)),
          static_cast<uint8_t>((scales[j + 4] >> 4) | ((scales[j] >> 6) << 4))};
}
// Scale of run j of a Q3_K block, -32 .. 31.
inline int packed_scale_q3(const uint8_t* scales, int j) {
  const int low = j < 8 ? scales[j] & 15 : scales[j - 8] >> 4;
  return (low | (((scales[8 + j % 4] >> (2 * (j / 4))) & 3) << 4)) - 32;
}

}  // namespace malssi
