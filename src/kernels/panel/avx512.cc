// Sums over panels with AVX-512: bytes by VNNI's dot product, pairs of bf16 by theirs, floats by fused multiply-add. A tile
// is 32 rows of weights by some tokens, its sums held in registers.
#include <immintrin.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "kernels/panel/tables.h"

#pragma GCC target( \
    "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx512bf16,avx2,fma,f16c,prefer-vector-width=512")

namespace malssi::panel {
namespace {

// 32 of them.
inline void floats_of_halves(const uint8_t* halves, float* to) {
  for (int64_t r = 0; r < kRows; r += 16)
    _mm512_storeu_ps(
        to + r,
        _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(halves + r * 2))));
}

// Each byte, below 16, becomes the table's number.
inline void look_up(const uint8_t* table, uint32_t* words, int64_t count) {
  const __m512i values =
      _mm512_broadcast_i32x4(_mm_loadu_si128(reinterpret_cast<const __m128i*>(table)));
  for (int64_t i = 0; i < count; i += 16)
    _mm512_storeu_si512(words + i, _mm512_shuffle_epi8(values, _mm512_loadu_si512(words + i)));
}

#include "kernels/panel/token_tiles-inl.h"
#include "kernels/panel/unpack-inl.h"
//
#include "kernels/panel/avx512_widen-inl.h"

constexpr int kVectors = 2;  // of 16 rows

template <int kTokens, int kGroup, bool kMin>
void int8_tile(const Int8Panel& panel, int zero_shift, const Int8Rows& x, int64_t columns,
               int64_t next_bytes, Ahead& ahead, float* out) {
  const int64_t K = x.columns;
  const int32_t* const offset = kGroup == 32 ? x.offset32 : x.offset16;
  const float* const x_sum = kGroup == 32 ? x.sum32 : x.sum16;
  const __m128i shift = _mm_cvtsi32_si128(zero_shift);
  __m512 sum[kTokens][kVectors];
#pragma GCC unroll 16
  for (int m = 0; m < kTokens; ++m)
#pragma GCC unroll 16
    for (int v = 0; v < kVectors; ++v) sum[m][v] = _mm512_loadu_ps(out + m * kRows + v * 16);
  for (int64_t g = 0; g < columns / kGroup; ++g) {
    ahead.fetch(next_bytes);
    __m512i dot[kTokens][kVectors];
#pragma GCC unroll 16
    for (int m = 0; m < kTokens; ++m)
#pragma GCC unroll 16
      for (int v = 0; v < kVectors; ++v)
        dot[m][v] = kMin ? _mm512_setzero_si512()
                         : _mm512_sra_epi32(_mm512_set1_epi32(offset[m * (K / kGroup) + g]), shift);
    const uint8_t* w = panel.q + g * panel.group_bytes;
#pragma GCC unroll 8
    for (int c = 0; c < kGroup; c += 4, w += 4 * kRows) {
      const __m512i w0 = _mm512_loadu_si512(w), w1 = _mm512_loadu_si512(w + 64);
#pragma GCC unroll 16
      for (int m = 0; m < kTokens; ++m) {
        int32_t bytes;
        std::memcpy(&bytes, x.q + m * K + g * kGroup + c, 4);
        const __m512i xs = _mm512_set1_epi32(bytes);
        dot[m][0] = _mm512_dpbusd_epi32(dot[m][0], w0, xs);
        dot[m][1] = _mm512_dpbusd_epi32(dot[m][1], w1, xs);
      }
    }
#pragma GCC unroll 16
    for (int v = 0; v < kVectors; ++v) {
      const __m512 scale = _mm512_load_ps(panel.scale + g * kRows + v * 16);
#pragma GCC unroll 16
      for (int m = 0; m < kTokens; ++m) {
        const __m512 both_scales =
            _mm512_mul_ps(scale, _mm512_set1_ps(x.scale[m * (K / 32) + g * kGroup / 32]));
        sum[m][v] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(dot[m][v]), both_scales, sum[m][v]);
      }
      if constexpr (kMin) {
        const __m512 min = _mm512_load_ps(panel.min + g * kRows + v * 16);
#pragma GCC unroll 16
        for (int m = 0; m < kTokens; ++m)
          sum[m][v] = _mm512_fmadd_ps(min, _mm512_set1_ps(x_sum[m * (K / kGroup) + g]), sum[m][v]);
      }
    }
  }
#pragma GCC unroll 16
  for (int m = 0; m < kTokens; ++m)
#pragma GCC unroll 16
    for (int v = 0; v < kVectors; ++v) _mm512_storeu_ps(out + m * kRows + v * 16, sum[m][v]);
}

template <int kGroup, bool kMin>
void int8_rows(const Int8Panel& panel, int zero_shift, const Int8Rows& x, int64_t tokens,
               int64_t columns, int64_t next_bytes, Ahead& ahead, float* sums) {
  constexpr int kTokens = 6;
  const int64_t steps = columns / kGroup * ((tokens + kTokens - 1) / kTokens);
  const int64_t share = (next_bytes / steps + 63) / 64 * 64;
  token_tiles<kTokens>(tokens, [&](auto count, int64_t m) {
    int8_tile<count.value, kGroup, kMin>(panel, zero_shift, x.from(m, 0), columns, share, ahead,
                                         sums + m * kRows);
  });
}

void int8_sums(const Int8Panel& panel, Int8Layout layout, const Int8Rows& x, int64_t tokens,
               int64_t columns, int64_t next_bytes, Ahead& ahead, float* sums) {
  const auto run = layout.group == 32
                       ? (layout.has_min ? int8_rows<32, true> : int8_rows<32, false>)
                       : (layout.has_min ? int8_rows<16, true> : int8_rows<16, false>);
  run(panel, layout.zero_shift, x, tokens, columns, next_bytes, ahead, sums);
}

// In each quarter: words 0 and 2 of a, of b, words 1 and 3 of a, of b, added.
inline __m512 add_words(__m512 a, __m512 b) {
  return _mm512_add_ps(_mm512_unpacklo_ps(a, b), _mm512_unpackhi_ps(a, b));
}
// The lower pairs of a and of b, added to the upper ones.
inline __m512 add_pairs(__m512 a, __m512 b) {
  const __m512d c = _mm512_castps_pd(a), d = _mm512_castps_pd(b);
  return _mm512_add_ps(_mm512_castpd_ps(_mm512_unpacklo_pd(c, d)),
                       _mm512_castpd_ps(_mm512_unpackhi_pd(c, d)));
}
// Even quarters of a and of b, added to the odd ones.
inline __m512 add_quarters(__m512 a, __m512 b) {
  return _mm512_add_ps(_mm512_shuffle_f32x4(a, b, 0x88), _mm512_shuffle_f32x4(a, b, 0xdd));
}

// Lane i of the result is the sum of the lanes of v[i].
inline __m512 sums_of_lanes(const __m512* v) {
  __m512 four_sums[4];
#pragma GCC unroll 4
  for (int j = 0; j < 4; ++j)
    four_sums[j] =
        add_pairs(add_words(v[4 * j], v[4 * j + 1]), add_words(v[4 * j + 2], v[4 * j + 3]));
  return add_quarters(add_quarters(four_sums[0], four_sums[1]),
                      add_quarters(four_sums[2], four_sums[3]));
}

constexpr int kTileRows = 4;
constexpr int kTileTokens = 6;

// How dense weights and their x are read, 64 bytes of the wider one at a time, and multiplied.
struct Bf16Numbers {
  using X = bf16;
  using Vector = __m512bh;
  static constexpr int64_t kColumns = 32, kWeightBytes = 2;
  static Vector load(const void* p, uint32_t mask) {
    return (Vector)_mm512_maskz_loadu_epi16(mask, p);
  }
  static Vector load_x(const X* p, uint32_t mask) { return load(p, mask); }
  static __m512 add(__m512 sum, Vector w, Vector x) { return _mm512_dpbf16_ps(sum, w, x); }
};
struct FloatNumbers {
  using X = float;
  using Vector = __m512;
  static constexpr int64_t kColumns = 16, kWeightBytes = 4;
  static Vector load(const void* p, uint32_t mask) {
    return _mm512_maskz_loadu_ps(static_cast<__mmask16>(mask), p);
  }
  static Vector load_x(const X* p, uint32_t mask) { return load(p, mask); }
  static __m512 add(__m512 sum, Vector w, Vector x) { return _mm512_fmadd_ps(w, x, sum); }
};
struct HalfNumbers : FloatNumbers {
  static constexpr int64_t kWeightBytes = 2;
  static Vector load(const void* p, uint32_t mask) {
    return _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(static_cast<__mmask16>(mask), p));
  }
};
struct WideBf16Numbers : FloatNumbers {
  static constexpr int64_t kWeightBytes = 2;
  static Vector load(const void* p, uint32_t mask) {
    const __m256i bits = _mm256_maskz_loadu_epi16(static_cast<__mmask16>(mask), p);
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16));
  }
};

// sums [kTokens, 32] += x [kTokens, columns] times 4 rows of weights; columns are lanes.
template <class Numbers, int kTokens>
void dense_tile(const uint8_t* const* rows, const typename Numbers::X* x, int64_t stride,
                int64_t columns, float* sums) {
  __m512 sum[32];  // of token m and row r: [4 m + r]
#pragma GCC unroll 32
  for (int i = 0; i < 32; ++i) sum[i] = _mm512_setzero_ps();
  const auto step = [&](int64_t c, uint32_t mask) __attribute__((always_inline)) {
    typename Numbers::Vector row[kTileRows];
#pragma GCC unroll 16
    for (int r = 0; r < kTileRows; ++r)
      row[r] = Numbers::load(rows[r] + c * Numbers::kWeightBytes, mask);
#pragma GCC unroll 16
    for (int m = 0; m < kTokens; ++m) {
      const typename Numbers::Vector xs = Numbers::load_x(x + m * stride + c, mask);
#pragma GCC unroll 16
      for (int r = 0; r < kTileRows; ++r)
        sum[m * kTileRows + r] = Numbers::add(sum[m * kTileRows + r], row[r], xs);
    }
  };
  int64_t c = 0;
  for (; c + Numbers::kColumns <= columns; c += Numbers::kColumns) step(c, ~0u);
  if (c < columns) step(c, (1u << (columns - c)) - 1);
  alignas(64) float totals[32];
  _mm512_store_ps(totals, sums_of_lanes(sum));
  if (kTokens > 4) _mm512_store_ps(totals + 16, sums_of_lanes(sum + 16));
  for (int m = 0; m < kTokens; ++m)
    for (int r = 0; r < kTileRows; ++r) sums[m * kRows + r] += totals[m * kTileRows + r];
}

template <class Numbers>
void dense_sums(const uint8_t* const* rows, const typename Numbers::X* x, int64_t stride,
                int64_t tokens, int64_t columns, Ahead& ahead, float* sums) {
  token_tiles<kTileTokens>(tokens, [&](auto count, int64_t m) {
    for (int64_t r = 0; r < kRows; r += kTileRows) {
      ahead.fetch(columns * Numbers::kWeightBytes * kTileRows);
      dense_tile<Numbers, count.value>(rows + r, x + m * stride, stride, columns,
                                       sums + m * kRows + r);
    }
  });
}

void float_sums(DType dtype, const uint8_t* const* rows, const float* x, int64_t stride,
                int64_t tokens, int64_t columns, Ahead& ahead, float* sums) {
  const auto run = dtype == DType::f32   ? dense_sums<FloatNumbers>
                   : dtype == DType::f16 ? dense_sums<HalfNumbers>
                                         : dense_sums<WideBf16Numbers>;
  run(rows, x, stride, tokens, columns, ahead, sums);
}

void to_int8(const float* x, int64_t columns, const Int8RowsOut& out) {
  for (int64_t g = 0; g < columns / 32; ++g) {
    const __m512 a = _mm512_loadu_ps(x + g * 32), b = _mm512_loadu_ps(x + g * 32 + 16);
    const float top = _mm512_reduce_max_ps(_mm512_max_ps(_mm512_abs_ps(a), _mm512_abs_ps(b)));
    const float scale = top / 127;
    const __m512 inverse = _mm512_set1_ps(top > 0 ? 127 / top : 0);
    // What is no number, or too small for `inverse`, converts to the least integer: its sums would overflow.
    const __m512i least = _mm512_set1_epi32(-127),
                  qa = _mm512_max_epi32(_mm512_cvtps_epi32(_mm512_mul_ps(a, inverse)), least),
                  qb = _mm512_max_epi32(_mm512_cvtps_epi32(_mm512_mul_ps(b, inverse)), least);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out.q + g * 32), _mm512_cvtsepi32_epi8(qa));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out.q + g * 32 + 16), _mm512_cvtsepi32_epi8(qb));
    const int32_t sum_a = _mm512_reduce_add_epi32(qa), sum_b = _mm512_reduce_add_epi32(qb);
    out.scale[g] = scale;
    out.offset16[g * 2] = -128 * sum_a;
    out.offset16[g * 2 + 1] = -128 * sum_b;
    out.offset32[g] = -128 * (sum_a + sum_b);
    out.sum16[g * 2] = scale * static_cast<float>(sum_a);
    out.sum16[g * 2 + 1] = scale * static_cast<float>(sum_b);
    out.sum32[g] = scale * static_cast<float>(sum_a + sum_b);
  }
}

}  // namespace

const Kernels& avx512_kernels() {
  static constexpr Kernels table{.name = "avx512vnni",
                                 .unpack_int8 = unpack_int8,
                                 .int8_sums = int8_sums,
                                 .bf16_sums = nullptr,
                                 .float_sums = float_sums,
                                 .to_int8 = to_int8,
                                 .widen = nullptr,
                                 .has_bf16 = false};
  return table;
}

const Kernels& avx512_bf16_kernels() {
  static constexpr Kernels table{.name = "avx512vnni, bf16",
                                 .unpack_int8 = unpack_int8,
                                 .int8_sums = int8_sums,
                                 .bf16_sums = dense_sums<Bf16Numbers>,
                                 .float_sums = float_sums,
                                 .to_int8 = to_int8,
                                 .widen = widen,
                                 .has_bf16 = true};
  return table;
}

}  // namespace malssi::panel
