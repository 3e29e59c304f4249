// Scales and mins of 16 rows' blocks as floats, into a panel.
#pragma once

#include "kernels/panel/avx512-inl.h"

namespace malssi::panel {

using Rows = const uint8_t* const*;  // 16 of them here

// f16 scales (and mins) in front of each block of 32. All are collected before the first is used: a load that spans stores
// still under way would wait for them.
inline void half_scales(Rows rows, int64_t block_bytes, int64_t at, int64_t blocks, int64_t lane,
                        float* to) {
  alignas(32) uint16_t halves[kInt8Chunk / 32][16];
#pragma GCC unroll 16
  for (int i = 0; i < 16; ++i) {
    const uint8_t* from = rows[i] + at;
    for (int64_t b = 0; b < blocks; ++b) std::memcpy(&halves[b][i], from + b * block_bytes, 2);
  }
  for (int64_t b = 0; b < blocks; ++b)
    _mm512_store_ps(
        to + b * kRows + lane,
        _mm512_cvtph_ps(_mm256_load_si256(reinterpret_cast<const __m256i*>(halves[b]))));
}

// d, dmin and the eight six-bit scales and mins of a block of 256.
inline void put_scales_and_mins(Rows rows, int64_t at, int64_t group, int64_t lane,
                                Int8Panel& panel) {
  __m512i header[4];
  transpose_headers(rows, at, header);
  const __m512 d = _mm512_cvtph_ps(_mm512_cvtepi32_epi16(header[0]));
  const __m512 dmin = _mm512_cvtph_ps(_mm512_cvtepi32_epi16(_mm512_srli_epi32(header[0], 16)));
  const __m512i six = _mm512_set1_epi8(63), four_bits = _mm512_set1_epi8(15),
                two = _mm512_set1_epi8(48);
  const auto top = [&](__m512i v) { return _mm512_and_si512(_mm512_srli_epi32(v, 2), two); };
  const __m512i scales[2] = {
      _mm512_and_si512(header[1], six),
      _mm512_or_si512(_mm512_and_si512(header[3], four_bits), top(header[1]))};
  const __m512i mins[2] = {
      _mm512_and_si512(header[2], six),
      _mm512_or_si512(_mm512_and_si512(_mm512_srli_epi32(header[3], 4), four_bits),
                      top(header[2]))};
  const __m512i byte = _mm512_set1_epi32(255);
  const __m512 minus = _mm512_sub_ps(_mm512_setzero_ps(), dmin);
#pragma GCC unroll 16
  for (int g = 0; g < 8; ++g) {
    const auto number = [&](const __m512i* v) {
      return _mm512_cvtepi32_ps(
          _mm512_and_si512(_mm512_srlv_epi32(v[g / 4], _mm512_set1_epi32(g % 4 * 8)), byte));
    };
    _mm512_store_ps(panel.scale + (group + g) * kRows + lane, _mm512_mul_ps(d, number(scales)));
    _mm512_store_ps(panel.min + (group + g) * kRows + lane, _mm512_mul_ps(minus, number(mins)));
  }
}

// The sixteen whole-number scales of a block of 256, times d.
inline void put_scales_q6_k(Rows rows, int64_t at, int64_t group, int64_t lane, Int8Panel& panel) {
  __m512i scales[4];
  transpose_headers(rows, at + 192, scales);
  alignas(32) uint16_t halves[16];
#pragma GCC unroll 16
  for (int i = 0; i < 16; ++i) std::memcpy(&halves[i], rows[i] + at + 208, 2);
  const __m512 d = _mm512_cvtph_ps(_mm256_load_si256(reinterpret_cast<const __m256i*>(halves)));
#pragma GCC unroll 16
  for (int g = 0; g < 16; ++g) {
    const __m512i top = _mm512_sllv_epi32(scales[g / 4], _mm512_set1_epi32(24 - g % 4 * 8));
    _mm512_store_ps(panel.scale + (group + g) * kRows + lane,
                    _mm512_mul_ps(d, _mm512_cvtepi32_ps(_mm512_srai_epi32(top, 24))));
  }
}

}  // namespace malssi::panel
