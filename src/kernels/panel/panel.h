// What panel_product is made of. Weights are taken 32 rows by a chunk of columns at a time. Dense ones are multiplied where they
// lie. Block formats are taken interleaved (interleave.h), so that a vector's lanes are rows, and unpacked to bytes; every
// instruction set gives the same whole sums of int8 and adds floats in the same order.
#pragma once

#include <algorithm>
#include <cstdint>

#include "kernels/dtype.h"

namespace malssi::panel {

constexpr int64_t kRows = 32;
constexpr int64_t kInt8Chunk = 512;  // columns; 16 KiB
constexpr int64_t kDenseChunk =
    2048;  // bytes of it that some rows of x have stay in the first cache

// w = scale (q - zero) + min, the scales and mins by group of 16 or 32 columns.
struct Int8Panel {
  const uint8_t* q;  // [group] at group_bytes from each other: [group's columns / 4][32 rows][4]
  int64_t group_bytes;
  alignas(
      64) uint32_t numbers[kInt8Chunk / 4 * kRows];  // where q lies, unless the format has bytes
  alignas(64) float scale[kInt8Chunk / 16 * kRows];  // [group][32 rows]
  alignas(64) float min[kInt8Chunk / 16 * kRows];    // the same, where the format has some
};

// Memory that will be read next: touched piece by piece while the rows before it are used, in the order in which
// it lies, so that it streams into the cache.
class Ahead {
 public:
  Ahead(const uint8_t* begin, const uint8_t* end) : next_(begin), end_(end) {}
  void fetch(int64_t bytes) {
    const uint8_t* const stop = next_ + std::min(bytes, end_ - next_);
    for (; next_ < stop; next_ += 64) __builtin_prefetch(next_, 0, 3);
  }

 private:
  const uint8_t *next_, *end_;
};

// How a block format looks as int8.
struct Int8Layout {
  int64_t group = 32;    // columns that share a scale
  bool has_min = false;  // its zero is 0
  int zero_shift = 0;    // its zero, as 128 >> zero_shift
  int bits = 8;          // numbers are below 2^bits
};
constexpr Int8Layout int8_layout(DType dtype) {
  switch (dtype) {
    case DType::q2_k:
      return {.group = 16, .has_min = true, .bits = 2};
    case DType::q3_k:
      return {.group = 16, .zero_shift = 5, .bits = 3};
    case DType::q6_k:
      return {.group = 16, .zero_shift = 2, .bits = 6};
    case DType::q4_1:
    case DType::q4_k:
      return {.has_min = true, .bits = 4};
    case DType::q5_1:
    case DType::q5_k:
      return {.has_min = true, .bits = 5};
    case DType::q4_0:
      return {.zero_shift = 4, .bits = 4};
    case DType::q5_0:
      return {.zero_shift = 3, .bits = 5};
    default:
      return {};
  }
}

// Whether its numbers are not whole bytes already.
constexpr bool unpacks(DType dtype) { return dtype != DType::q8_0; }

// Activations in int8: x = scale q, by groups of 32. All rows of one x, [M, K / ...]; K is padded to whole groups of 32.
struct Int8Rows {
  const int8_t* q = nullptr;          // [M, K]
  const float* scale = nullptr;       // [M, K / 32]
  const int32_t* offset32 = nullptr;  // [M, K / 32]  -128 times the sum of q
  const int32_t* offset16 = nullptr;  // [M, K / 16]
  const float* sum32 = nullptr;       // [M, K / 32]  scale times the sum of q
  const float* sum16 = nullptr;       // [M, K / 16]
  int64_t columns = 0;                // K

  Int8Rows from(int64_t row, int64_t column) const {
    const int64_t at32 = (row * columns + column) / 32, at16 = (row * columns + column) / 16;
    return {q + row * columns + column,
            scale + at32,
            offset32 + at32,
            offset16 + at16,
            sum32 + at32,
            sum16 + at16,
            columns};
  }
};
struct Int8RowsOut {
  int8_t* q;
  float* scale;
  int32_t *offset32, *offset16;
  float *sum32, *sum16;
};

// One entry for each instruction set.
struct Kernels {
  const char* name;
  // A chunk of whole blocks, interleaved; the panel may point into it. Half of as many bytes are fetched ahead meanwhile, unless
  // there was nothing to unpack (unpacks()).
  void (*unpack_int8)(DType dtype, const uint8_t* chunk, int64_t columns, Ahead& ahead,
                      Int8Panel& panel);
  // sums [tokens, 32] += x [tokens, columns] times the panel; meanwhile `next_bytes` of what comes next are fetched, a little at
  // a time: many requests at once would hold the reading of the panel up.
  void (*int8_sums)(const Int8Panel& panel, Int8Layout layout, const Int8Rows& x, int64_t tokens,
                    int64_t columns, int64_t next_bytes, Ahead& ahead, float* sums);
  // sums [tokens, 32] += x [tokens, columns] times 32 rows of bf16, with x in bf16, or times rows of f32, f16 or bf16, with x in f32.
  void (*bf16_sums)(const uint8_t* const* rows, const bf16* x, int64_t stride, int64_t tokens,
                    int64_t columns, Ahead& ahead, float* sums);
  void (*float_sums)(DType dtype, const uint8_t* const* rows, const float* x, int64_t stride,
                     int64_t tokens, int64_t columns, Ahead& ahead, float* sums);
  // One row of activations, columns a multiple of 32.
  void (*to_int8)(const float* x, int64_t columns, const Int8RowsOut& out);
  // A chunk of whole blocks as bf16, columns as rows: to[column * stride + row]. Null where there is no bf16.
  void (*widen)(DType dtype, const uint8_t* chunk, int64_t columns, Int8Panel& space, bf16* to,
                int64_t stride);
  bool has_bf16;
};
// For this processor; MALSSI_SIMD caps it.
const Kernels& kernels();
const Kernels& scalar_kernels();

}  // namespace malssi::panel
