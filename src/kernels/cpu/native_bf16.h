// Products of small packed bf16 blocks with the processor's own instructions; which one to call is
// the caller's choice by cpu_features(). Layouts, all padded with zeros to whole multiples:
//   a: row-major [M, lda], M a multiple of 16 for tiles (any otherwise), K of 32.
//   b: panels of 16 columns: [N / 16][ldb / 2][16][2], each pair being two consecutive k of one
//   column. c: row-major f32 [M, ldc], N a multiple of 16. c = a b, or c += a b where `adds`.
#pragma once

#include <cstdint>

#include "kernels/dtype.h"

namespace malssi {

struct BlockShape {
  int64_t M, N, K, lda;
  int64_t ldb;  // K that b's panels were padded to
  int64_t ldc;
  bool adds;
};

// Units of 32 levels, each with as many scales; those of the next unit lie `step` behind (0: the same again).
constexpr int64_t kScaledUnit = 32;
struct ScaledLevels {
  const int8_t* levels = nullptr;
  const float* scales = nullptr;
  int64_t units = 0, step = 0;
};
// to = levels times scales.
void scale_levels_avx512_bf16(const ScaledLevels& from, bf16* to);

void product_avx512_bf16(const bf16* a, const bf16* b, float* c, const BlockShape& shape);
// Between begin_tiles() and end_tiles() on the same thread.
void product_amx(const bf16* a, const bf16* b, float* c, const BlockShape& shape);
void begin_tiles();
void end_tiles();

}  // namespace malssi
