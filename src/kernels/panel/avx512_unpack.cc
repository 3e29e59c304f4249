// Block formats to int8 panels with AVX-512. Rows are made lanes while their numbers are still packed: a byte of two nibbles
// is moved once, not twice.
#include <algorithm>
#include <bit>
#include <cmath>

#include "kernels/panel/avx512_scales-inl.h"

namespace malssi::panel {
namespace {

inline float half_value(uint16_t bits) { return _cvtsh_ss(bits); }

#include "kernels/panel/int8_decode-inl.h"

// Where the 16 rows' four numbers from `column` on lie.
inline void put(Int8Panel& panel, int64_t column, int64_t lane, __m512i bytes) {
  _mm512_store_si512(panel.q + (column / 4 * kRows + lane) * 4, bytes);
}

void unpack_q8_0(Rows rows, int64_t blocks, int64_t lane, Int8Panel& panel) {
  constexpr int64_t kBytes = 34;
  const __m512i sign = _mm512_set1_epi8(static_cast<char>(0x80));
  for (int64_t b = 0; b < blocks; b += 2) {
    const int64_t second = std::min(b + 1, blocks - 1);
    __m512i r[16];
#pragma GCC unroll 16
    for (int i = 0; i < 16; ++i)
      r[i] = both(rows[i] + b * kBytes + 2, rows[i] + second * kBytes + 2);
    transpose16(r);
    const int used = second > b ? 16 : 8;
    for (int j = 0; j < used; ++j) put(panel, b * 32 + j * 4, lane, _mm512_xor_si512(r[j], sign));
  }
  if (blocks == 16)
    sixteen_scales(rows, lane, panel.scale, HalvesBy34());
  else
    half_scales(rows, kBytes, 0, blocks, lane, panel.scale);
}

// Blocks of 16 bytes of nibbles; `map` makes nibbles the numbers plus 128.
template <int64_t kBytes, int64_t kAt, class Map>
inline void unpack_nibbles(Rows rows, int64_t blocks, int64_t lane, Int8Panel& panel, Map&& map) {
  const __m512i low = _mm512_set1_epi8(15);
  for (int64_t b = 0; b < blocks; b += 4) {
    const int64_t used = std::min<int64_t>(4, blocks - b);
    const auto at = [&](int64_t i) { return (b + std::min(i, used - 1)) * kBytes + kAt; };
    __m512i r[16];
#pragma GCC unroll 16
    for (int i = 0; i < 16; ++i)
      r[i] = four(rows[i] + at(0), rows[i] + at(1), rows[i] + at(2), rows[i] + at(3));
    transpose16(r);
    for (int j = 0; j < used * 4; ++j) {
      const int64_t column = (b + j / 4) * 32 + j % 4 * 4;
      put(panel, column, lane, map(_mm512_and_si512(r[j], low)));
      put(panel, column + 16, lane, map(_mm512_and_si512(_mm512_srli_epi16(r[j], 4), low)));
    }
  }
}

void unpack_q4_0(Rows rows, int64_t blocks, int64_t lane, Int8Panel& panel) {
  const __m512i offset = _mm512_set1_epi8(120);
  unpack_nibbles<18, 2>(rows, blocks, lane, panel,
                        [&](__m512i v) { return _mm512_add_epi8(v, offset); });
  if (blocks == 16)
    sixteen_scales(rows, lane, panel.scale, HalvesBy18());
  else
    half_scales(rows, 18, 0, blocks, lane, panel.scale);
}

void unpack_q4_1(Rows rows, int64_t blocks, int64_t lane, Int8Panel& panel) {
  const __m512i offset = _mm512_set1_epi8(static_cast<char>(0x80));
  unpack_nibbles<20, 4>(rows, blocks, lane, panel,
                        [&](__m512i v) { return _mm512_or_si512(v, offset); });
  half_scales(rows, 20, 0, blocks, lane, panel.scale);
  half_scales(rows, 20, 2, blocks, lane, panel.min);
}

void unpack_iq4_nl(Rows rows, int64_t blocks, int64_t lane, Int8Panel& panel) {
  const __m512i values = _mm512_broadcast_i32x4(
      _mm_setr_epi8(1, 24, 45, 63, 79, 93, 106, 118, static_cast<char>(129), static_cast<char>(141),
                    static_cast<char>(153), static_cast<char>(166), static_cast<char>(181),
                    static_cast<char>(197), static_cast<char>(217), static_cast<char>(241)));
  unpack_nibbles<18, 2>(rows, blocks, lane, panel,
                        [&](__m512i v) { return _mm512_shuffle_epi8(values, v); });
  half_scales(rows, 18, 0, blocks, lane, panel.scale);
}

void unpack_q4_k(Rows rows, int64_t blocks, int64_t lane, Int8Panel& panel) {
  const __m512i low = _mm512_set1_epi8(15), offset = _mm512_set1_epi8(static_cast<char>(0x80));
  for (int64_t b = 0; b < blocks; ++b) {
    const int64_t at = b * 144;
    put_scales_and_mins(rows, at, b * 8, lane, panel);
    for (int64_t half = 0; half < 2; ++half) {
      __m512i r[16];
#pragma GCC unroll 16
      for (int i = 0; i < 16; ++i) r[i] = load512(rows[i] + at + 16 + half * 64);
      transpose16(r);
#pragma GCC unroll 16
      for (int j = 0; j < 16; ++j) {
        const int64_t column = b * 256 + half * 128 + j / 8 * 64 + j % 8 * 4;
        put(panel, column, lane, _mm512_or_si512(_mm512_and_si512(r[j], low), offset));
        put(panel, column + 32, lane,
            _mm512_or_si512(_mm512_and_si512(_mm512_srli_epi16(r[j], 4), low), offset));
      }
    }
  }
}

void unpack_q5_k(Rows rows, int64_t blocks, int64_t lane, Int8Panel& panel) {
  const __m512i low = _mm512_set1_epi8(15), offset = _mm512_set1_epi8(static_cast<char>(0x80)),
                fifth = _mm512_set1_epi8(16);
  for (int64_t b = 0; b < blocks; ++b) {
    const int64_t at = b * 176;
    put_scales_and_mins(rows, at, b * 8, lane, panel);
    __m512i high[16];
#pragma GCC unroll 16
    for (int i = 0; i < 16; ++i) high[i] = both(rows[i] + at + 16, rows[i] + at + 16);
    transpose16(high);
    for (int64_t half = 0; half < 2; ++half) {
      __m512i r[16];
#pragma GCC unroll 16
      for (int i = 0; i < 16; ++i) r[i] = load512(rows[i] + at + 48 + half * 64);
      transpose16(r);
#pragma GCC unroll 16
      for (int j = 0; j < 16; ++j) {
        const int64_t column = b * 256 + half * 128 + j / 8 * 64 + j % 8 * 4;
        const auto group = static_cast<int>(half * 4 + j / 8 * 2);
        const auto bit = [&](int g) {  // as the fifth bit of each byte
          const __m512i shifted = _mm512_rorv_epi32(high[j % 8], _mm512_set1_epi32((g + 28) % 32));
          return _mm512_and_si512(shifted, fifth);
        };
        const __m512i first = _mm512_or_si512(_mm512_and_si512(r[j], low), bit(group));
        const __m512i second =
            _mm512_or_si512(_mm512_and_si512(_mm512_srli_epi16(r[j], 4), low), bit(group + 1));
        put(panel, column, lane, _mm512_or_si512(first, offset));
        put(panel, column + 32, lane, _mm512_or_si512(second, offset));
      }
    }
  }
}

void unpack_q6_k(Rows rows, int64_t blocks, int64_t lane, Int8Panel& panel) {
  const __m512i low = _mm512_set1_epi8(15), two = _mm512_set1_epi8(48),
                offset = _mm512_set1_epi8(96);
  for (int64_t b = 0; b < blocks; ++b) {
    const int64_t at = b * 210;
    put_scales_q6_k(rows, at, b * 16, lane, panel);
    __m512i high[16];
#pragma GCC unroll 16
    for (int i = 0; i < 16; ++i) high[i] = load512(rows[i] + at + 128);
    transpose16(high);
    for (int64_t half = 0; half < 2; ++half) {
      __m512i r[16];
#pragma GCC unroll 16
      for (int i = 0; i < 16; ++i) r[i] = load512(rows[i] + at + half * 64);
      transpose16(r);
#pragma GCC unroll 16
      for (int s = 0; s < 8; ++s) {
        const __m512i h = high[half * 8 + s];
        const auto number = [&](__m512i nibble, __m512i bits) {
          return _mm512_add_epi8(
              _mm512_or_si512(_mm512_and_si512(nibble, low), _mm512_and_si512(bits, two)), offset);
        };
        const int64_t column = b * 256 + half * 128 + s * 4;
        put(panel, column, lane, number(r[s], _mm512_slli_epi16(h, 4)));
        put(panel, column + 32, lane, number(r[8 + s], _mm512_slli_epi16(h, 2)));
        put(panel, column + 64, lane, number(_mm512_srli_epi16(r[s], 4), h));
        put(panel, column + 96, lane,
            number(_mm512_srli_epi16(r[8 + s], 4), _mm512_srli_epi16(h, 2)));
      }
    }
  }
}

// Any other format: row by row, then 64 bytes of 16 rows at a time.
void unpack_rows(DType dtype, Rows rows, int64_t columns, int64_t lane, Int8Panel& panel) {
  alignas(64) static thread_local int8_t q[16][kInt8Chunk];
  alignas(64) float scale[16][kInt8Chunk / 16], min[16][kInt8Chunk / 16];
#pragma GCC unroll 16
  for (int i = 0; i < 16; ++i) decode_row(dtype, rows[i], columns, {q[i], scale[i], min[i]});
  const __m512i sign = _mm512_set1_epi8(static_cast<char>(0x80));
  for (int64_t c = 0; c < columns; c += 64) {
    __m512i r[16];
#pragma GCC unroll 16
    for (int i = 0; i < 16; ++i) r[i] = load512(q[i] + c);
    transpose16(r);
    for (int j = 0; j < 16 && c + j * 4 < columns; ++j)
      put(panel, c + j * 4, lane, _mm512_xor_si512(r[j], sign));
  }
  for (int64_t g = 0; g < columns / int8_layout(dtype).group; ++g)
#pragma GCC unroll 16
    for (int i = 0; i < 16; ++i) {
      panel.scale[g * kRows + lane + i] = scale[i][g];
      panel.min[g * kRows + lane + i] = min[i][g];
    }
}

}  // namespace

void unpack_int8_avx512(DType dtype, Rows rows, int64_t columns, Int8Panel& panel) {
  const int64_t blocks = columns / dtype_block(dtype).elements;
  for (int64_t lane = 0; lane < kRows; lane += 16, rows += 16) {
    switch (dtype) {
      case DType::q8_0:
        unpack_q8_0(rows, blocks, lane, panel);
        break;
      case DType::q4_0:
        unpack_q4_0(rows, blocks, lane, panel);
        break;
      case DType::q4_1:
        unpack_q4_1(rows, blocks, lane, panel);
        break;
      case DType::iq4_nl:
        unpack_iq4_nl(rows, blocks, lane, panel);
        break;
      case DType::q4_k:
        unpack_q4_k(rows, blocks, lane, panel);
        break;
      case DType::q5_k:
        unpack_q5_k(rows, blocks, lane, panel);
        break;
      case DType::q6_k:
        unpack_q6_k(rows, blocks, lane, panel);
        break;
      default:
        unpack_rows(dtype, rows, columns, lane, panel);
    }
  }
}

}  // namespace malssi::panel
