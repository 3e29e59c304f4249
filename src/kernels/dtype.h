// Number formats of tensors, and bfloat16 (the upper half of a float, rounded to nearest even).
// A block format keeps a row as blocks of 32, 64 or 256 numbers that share their scales, as GGUF files do (all but nf4);
// quant/formats.h packs and unpacks them.
#pragma once

#include <bit>
#include <cstdint>
#include <string_view>

namespace malssi {

enum class DType : uint8_t {
  f32,
  bf16,
  f16,
  i32,
  i64,
  u8,
  // block formats
  q8_0,
  q4_0,
  q4_1,
  q5_0,
  q5_1,
  q2_k,
  q3_k,
  q4_k,
  q5_k,
  q6_k,
  iq4_nl,
  mxfp4,
  nf4
};

// How a matrix lies in memory: row after row, or (block formats) rearranged for products; see panel_product.h.
enum class WeightLayout : uint8_t { rows, panels };

struct bf16 {
  uint16_t bits = 0;

  bf16() = default;
  explicit bf16(float value) {
    const auto word = std::bit_cast<uint32_t>(value);
    const bool is_nan = (word & 0x7fffffffu) > 0x7f800000u;
    bits = static_cast<uint16_t>(is_nan ? (word >> 16) | 0x40u
                                        : (word + 0x7fffu + ((word >> 16) & 1u)) >> 16);
  }
  explicit operator float() const {
    return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16);
  }
};

// A float in two halves that together lose nothing: its rounding to bf16 (ties away from zero, so that the halves are
// unique) and the difference of the bits.
struct SplitFloat {
  bf16 high;
  int16_t low = 0;
};
inline SplitFloat split(float value) {
  const auto word = std::bit_cast<uint32_t>(value);
  SplitFloat halves;
  halves.high.bits = static_cast<uint16_t>((word + 0x8000u) >> 16);
  halves.low = static_cast<int16_t>(word & 0xffffu);
  return halves;
}
inline float join(SplitFloat halves) {
  const auto high = static_cast<uint32_t>(halves.high.bits) << 16;
  return std::bit_cast<float>(high + static_cast<uint32_t>(static_cast<int32_t>(halves.low)));
}

// The sixteen levels of nf4, from -1 to 1 (Dettmers et al. 2023, appendix E).
inline constexpr float kNf4Levels[16] = {-1.0f,
                                         -0.6961928009986877f,
                                         -0.5250730514526367f,
                                         -0.39491748809814453f,
                                         -0.28444138169288635f,
                                         -0.18477343022823334f,
                                         -0.09105003625154495f,
                                         0.0f,
                                         0.07958029955625534f,
                                         0.16093020141124725f,
                                         0.24611230194568634f,
                                         0.33791524171829224f,
                                         0.44070982933044434f,
                                         0.5626170039176941f,
                                         0.7229568362236023f,
                                         1.0f};

// IEEE half precision to float and back (rounded to nearest even), for files.
float half_to_float(uint16_t half);
uint16_t float_to_half(float value);

// Bytes of one element; not of a block format.
int64_t dtype_size(DType dtype);
// What is stored together: one number, or a block.
struct DTypeBlock {
  int64_t elements = 1;
  int64_t bytes = 1;
};
DTypeBlock dtype_block(DType dtype);
inline bool is_block_format(DType dtype) { return dtype >= DType::q8_0; }
// Bytes of `count` numbers; whole blocks.
int64_t dtype_bytes(DType dtype, int64_t count);
// "f32", "bf16", "q4_k", ...
std::string_view dtype_name(DType dtype);

}  // namespace malssi
