// Scales and mins of 16 rows' blocks as floats, into a panel.
#pragma once

#include <array>

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

// The halves at the beginning of 16 blocks of 34 bytes: every 17th of 256.
struct HalvesBy34 {
  __m256i operator()(const uint8_t* p) const {
    __m512i found = _mm512_setzero_si512();
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {  // four of 64
      alignas(64) static constexpr auto kIndex = [] {
        std::array<int16_t, 32> index{};
        for (size_t b = 0; b < 16; ++b) index[b] = static_cast<int16_t>(b * 17 % 64);
        return index;
      }();
      const __mmask32 these = 0xfu << (4 * i);
      const __m512i picked = _mm512_permutex2var_epi16(
          load512(p + i * 128), _mm512_load_si512(kIndex.data()), load512(p + i * 128 + 64));
      found = _mm512_mask_mov_epi16(found, these, picked);
    }
    return _mm512_castsi512_si256(found);
  }
};
// The same of blocks of 18 bytes: every 9th of 144.
struct HalvesBy18 {
  __m256i operator()(const uint8_t* p) const {
    alignas(64) static constexpr auto kIndex = [] {
      std::array<int16_t, 32> index{};
      for (size_t b = 0; b < 15; ++b) index[b] = static_cast<int16_t>(b * 9 % 64);
      return index;
    }();
    const __m512i index = _mm512_load_si512(kIndex.data());
    const __m512i first = _mm512_permutex2var_epi16(load512(p), index, load512(p + 64));
    const __m512i second = _mm512_permutex2var_epi16(load512(p + 128), index, load512(p + 192));
    int16_t last;
    std::memcpy(&last, p + 270, 2);
    return _mm256_insert_epi16(_mm512_castsi512_si256(_mm512_mask_mov_epi16(first, 0x7f00, second)),
                               last, 15);
  }
};

// Scales of 16 blocks in each of 16 rows; halves(row) finds a row's.
template <class Halves>
inline void sixteen_scales(Rows rows, int64_t lane, float* to, Halves&& halves) {
  __m512i scale[16];
#pragma GCC unroll 16
  for (int i = 0; i < 16; ++i) scale[i] = _mm512_castps_si512(_mm512_cvtph_ps(halves(rows[i])));
  transpose16(scale);
#pragma GCC unroll 16
  for (int b = 0; b < 16; ++b) _mm512_store_si512(to + b * kRows + lane, scale[b]);
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
