// What both AVX-512 files need: the target, and turning 16 rows into lanes.
#pragma once

#include <immintrin.h>

#include <cstring>

#include "kernels/panel/tables.h"

#pragma GCC target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx512bf16,avx2,fma,f16c")

namespace malssi::panel {

inline __m512i load512(const void* p) { return _mm512_loadu_si512(p); }
inline __m512i both(const uint8_t* first, const uint8_t* second) {
  const auto low = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(first));
  const auto high = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(second));
  return _mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1);
}
// Four pieces of 16 bytes.
inline __m512i four(const uint8_t* a, const uint8_t* b, const uint8_t* c, const uint8_t* d) {
  const auto piece = [](const uint8_t* p) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
  };
  __m512i v = _mm512_castsi128_si512(piece(a));
  v = _mm512_inserti32x4(v, piece(b), 1);
  v = _mm512_inserti32x4(v, piece(c), 2);
  return _mm512_inserti32x4(v, piece(d), 3);
}

// 4 x 4 in each quarter: word j of quarter q of row i becomes word i of quarter q of row j.
inline void transpose_quarters(__m512i* r) {
  const __m512i a = _mm512_unpacklo_epi32(r[0], r[1]), b = _mm512_unpackhi_epi32(r[0], r[1]);
  const __m512i c = _mm512_unpacklo_epi32(r[2], r[3]), d = _mm512_unpackhi_epi32(r[2], r[3]);
  r[0] = _mm512_unpacklo_epi64(a, c);
  r[1] = _mm512_unpackhi_epi64(a, c);
  r[2] = _mm512_unpacklo_epi64(b, d);
  r[3] = _mm512_unpackhi_epi64(b, d);
}

// 32-bit word j of row i becomes lane i of vector j.
inline void transpose16(__m512i* r) {
#pragma GCC unroll 16
  for (int i = 0; i < 16; i += 4) transpose_quarters(r + i);
#pragma GCC unroll 16
  for (int j = 0; j < 4; ++j) {
    const __m512i a = _mm512_shuffle_i32x4(r[j], r[4 + j], 0x88);
    const __m512i b = _mm512_shuffle_i32x4(r[j], r[4 + j], 0xdd);
    const __m512i c = _mm512_shuffle_i32x4(r[8 + j], r[12 + j], 0x88);
    const __m512i d = _mm512_shuffle_i32x4(r[8 + j], r[12 + j], 0xdd);
    r[j] = _mm512_shuffle_i32x4(a, c, 0x88);
    r[8 + j] = _mm512_shuffle_i32x4(a, c, 0xdd);
    r[4 + j] = _mm512_shuffle_i32x4(b, d, 0x88);
    r[12 + j] = _mm512_shuffle_i32x4(b, d, 0xdd);
  }
}

// 16 bytes of each of 16 rows: word j of row i becomes lane i of out[j].
inline void transpose_headers(const uint8_t* const* rows, int64_t at, __m512i* out) {
#pragma GCC unroll 16
  for (int i = 0; i < 4; ++i)
    out[i] = four(rows[i] + at, rows[i + 4] + at, rows[i + 8] + at, rows[i + 12] + at);
  transpose_quarters(out);
}

// Defined in avx512_rows.cc: the sums of one token, straight from the blocks. False where the format has no such way;
// then nothing was done.
bool int8_row_sums_avx512(DType dtype, const uint8_t* const* rows, int64_t columns,
                          const Int8Rows& x, Ahead& ahead, Int8Panel& scales, float* sums);

// Defined in avx512_unpack.cc.
void unpack_int8_avx512(DType dtype, const uint8_t* const* rows, int64_t columns, Int8Panel& panel);

}  // namespace malssi::panel
