// Sums over panels with AVX-512: bytes by VNNI's dot product, pairs of bf16 by theirs, floats by fused multiply-add. A tile
// is 32 rows of weights by some tokens, its sums held in registers.
#include <algorithm>
#include <utility>

#include "kernels/panel/avx512-inl.h"

namespace malssi::panel {
namespace {

constexpr int kVectors = 2;  // of 16 rows

template <int kTokens, int kGroup, bool kMin>
void int8_tile(const Int8Panel& panel, const Int8Rows& x, int64_t columns, float* out) {
  const int64_t K = x.columns;
  const int32_t* const offset = kGroup == 32 ? x.offset32 : x.offset16;
  const float* const x_sum = kGroup == 32 ? x.sum32 : x.sum16;
  __m512 sum[kTokens][kVectors];
#pragma GCC unroll 16
  for (int m = 0; m < kTokens; ++m)
#pragma GCC unroll 16
    for (int v = 0; v < kVectors; ++v) sum[m][v] = _mm512_loadu_ps(out + m * kRows + v * 16);
  for (int64_t g = 0; g < columns / kGroup; ++g) {
    __m512i dot[kTokens][kVectors];
#pragma GCC unroll 16
    for (int m = 0; m < kTokens; ++m)
#pragma GCC unroll 16
      for (int v = 0; v < kVectors; ++v)
        dot[m][v] = _mm512_set1_epi32(offset[m * (K / kGroup) + g]);
    const uint8_t* w = panel.q + g * kGroup * kRows;
    for (int c = 0; c < kGroup; c += 4, w += 4 * kRows) {
      const __m512i w0 = _mm512_load_si512(w), w1 = _mm512_load_si512(w + 64);
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

// Calls tile<T>(first token) for all tokens, kMost at a time.
template <int kMost, class Tile>
inline void tiles(int64_t tokens, Tile&& tile) {
  int64_t m = 0;
  for (; m + kMost <= tokens; m += kMost) tile(std::integral_constant<int, kMost>(), m);
  [&]<int... kCounts>(std::integer_sequence<int, kCounts...>) {
    (void)((tokens - m == kCounts + 1 ? (tile(std::integral_constant<int, kCounts + 1>(), m), true)
                                      : false) ||
           ...);
  }
  (std::make_integer_sequence<int, kMost - 1>());
}

template <int kGroup, bool kMin>
void int8_rows(const Int8Panel& panel, const Int8Rows& x, int64_t tokens, int64_t columns,
               float* sums) {
  tiles<6>(tokens, [&](auto count, int64_t m) {
    int8_tile<count.value, kGroup, kMin>(panel, x.from(m, 0), columns, sums + m * kRows);
  });
}

void int8_sums(const Int8Panel& panel, Int8Layout layout, const Int8Rows& x, int64_t tokens,
               int64_t columns, float* sums) {
  if (layout.group == 32)
    return layout.has_min ? int8_rows<32, true>(panel, x, tokens, columns, sums)
                          : int8_rows<32, false>(panel, x, tokens, columns, sums);
  return layout.has_min ? int8_rows<16, true>(panel, x, tokens, columns, sums)
                        : int8_rows<16, false>(panel, x, tokens, columns, sums);
}

template <int kTokens>
void bf16_tile(const Bf16Panel& panel, const bf16* x, int64_t stride, int64_t columns, float* out) {
  __m512 sum[kTokens][kVectors];
#pragma GCC unroll 16
  for (int m = 0; m < kTokens; ++m)
#pragma GCC unroll 16
    for (int v = 0; v < kVectors; ++v) sum[m][v] = _mm512_loadu_ps(out + m * kRows + v * 16);
  for (int64_t c = 0; c < columns; c += 2) {
    const auto w0 = reinterpret_cast<__m512bh>(load512(panel.w + c * kRows));
    const auto w1 = reinterpret_cast<__m512bh>(load512(panel.w + c * kRows + 32));
#pragma GCC unroll 16
    for (int m = 0; m < kTokens; ++m) {
      int32_t pair;
      std::memcpy(&pair, x + m * stride + c, 4);
      const auto xs = reinterpret_cast<__m512bh>(_mm512_set1_epi32(pair));
      sum[m][0] = _mm512_dpbf16_ps(sum[m][0], w0, xs);
      sum[m][1] = _mm512_dpbf16_ps(sum[m][1], w1, xs);
    }
  }
#pragma GCC unroll 16
  for (int m = 0; m < kTokens; ++m)
#pragma GCC unroll 16
    for (int v = 0; v < kVectors; ++v) _mm512_storeu_ps(out + m * kRows + v * 16, sum[m][v]);
}

void bf16_sums(const Bf16Panel& panel, const bf16* x, int64_t stride, int64_t tokens,
               int64_t columns, float* sums) {
  tiles<12>(tokens, [&](auto count, int64_t m) {
    bf16_tile<count.value>(panel, x + m * stride, stride, columns, sums + m * kRows);
  });
}

template <int kTokens>
void float_tile(const FloatPanel& panel, const float* x, int64_t stride, int64_t columns,
                float* out) {
  __m512 sum[kTokens][kVectors];
#pragma GCC unroll 16
  for (int m = 0; m < kTokens; ++m)
#pragma GCC unroll 16
    for (int v = 0; v < kVectors; ++v) sum[m][v] = _mm512_loadu_ps(out + m * kRows + v * 16);
  for (int64_t c = 0; c < columns; ++c) {
    const __m512 w0 = _mm512_load_ps(panel.w + c * kRows),
                 w1 = _mm512_load_ps(panel.w + c * kRows + 16);
#pragma GCC unroll 16
    for (int m = 0; m < kTokens; ++m) {
      const __m512 xs = _mm512_set1_ps(x[m * stride + c]);
      sum[m][0] = _mm512_fmadd_ps(w0, xs, sum[m][0]);
      sum[m][1] = _mm512_fmadd_ps(w1, xs, sum[m][1]);
    }
  }
#pragma GCC unroll 16
  for (int m = 0; m < kTokens; ++m)
#pragma GCC unroll 16
    for (int v = 0; v < kVectors; ++v) _mm512_storeu_ps(out + m * kRows + v * 16, sum[m][v]);
}

void float_sums(const FloatPanel& panel, const float* x, int64_t stride, int64_t tokens,
                int64_t columns, float* sums) {
  tiles<12>(tokens, [&](auto count, int64_t m) {
    float_tile<count.value>(panel, x + m * stride, stride, columns, sums + m * kRows);
  });
}

// 32 rows, 16 words at a time: load(row, first word, words) gives some of a row's, zeros after its end.
template <class Load>
inline void unpack_words(int64_t words, float* to, Load&& load) {
  for (int64_t lane = 0; lane < kRows; lane += 16)
    for (int64_t w = 0; w < words; w += 16) {
      const int64_t count = std::min<int64_t>(16, words - w);
      __m512i r[16];
#pragma GCC unroll 16
      for (int i = 0; i < 16; ++i) r[i] = load(lane + i, w, count);
      transpose16(r);
      if (count == 16) {
#pragma GCC unroll 16
        for (int j = 0; j < 16; ++j) _mm512_store_si512(to + (w + j) * kRows + lane, r[j]);
      } else {
        for (int j = 0; j < count; ++j) _mm512_store_si512(to + (w + j) * kRows + lane, r[j]);
      }
    }
}

inline __mmask64 first_bytes(int64_t bytes) {
  return bytes >= 64 ? ~__mmask64{0} : (__mmask64{1} << bytes) - 1;
}

void unpack_bf16(const uint8_t* const* rows, int64_t columns, Ahead& ahead, Bf16Panel& panel) {
  unpack_words(
      (columns + 1) / 2, reinterpret_cast<float*>(panel.w), [&](int64_t row, int64_t w, int64_t) {
        ahead.fetch(64);
        return _mm512_maskz_loadu_epi8(first_bytes(columns * 2 - w * 4), rows[row] + w * 4);
      });
}

void unpack_float(DType dtype, const uint8_t* const* rows, int64_t columns, Ahead& ahead,
                  FloatPanel& panel) {
  if (dtype == DType::f32)
    return unpack_words(columns, panel.w, [&](int64_t row, int64_t w, int64_t count) {
      ahead.fetch(64);
      return _mm512_maskz_loadu_epi32(static_cast<__mmask16>((1u << count) - 1), rows[row] + w * 4);
    });
  const bool is_half = dtype == DType::f16;
  unpack_words(columns, panel.w, [&](int64_t row, int64_t w, int64_t count) {
    ahead.fetch(32);
    const __m256i halves =
        _mm256_maskz_loadu_epi16(static_cast<__mmask16>((1u << count) - 1), rows[row] + w * 2);
    return is_half ? _mm512_castps_si512(_mm512_cvtph_ps(halves))
                   : _mm512_slli_epi32(_mm512_cvtepu16_epi32(halves), 16);
  });
}

void to_int8(const float* x, int64_t columns, const Int8RowsOut& out) {
  for (int64_t g = 0; g < columns / 32; ++g) {
    const __m512 a = _mm512_loadu_ps(x + g * 32), b = _mm512_loadu_ps(x + g * 32 + 16);
    const float top = _mm512_reduce_max_ps(_mm512_max_ps(_mm512_abs_ps(a), _mm512_abs_ps(b)));
    const float scale = top / 127;
    const __m512 inverse = _mm512_set1_ps(top > 0 ? 127 / top : 0);
    const __m512i qa = _mm512_cvtps_epi32(_mm512_mul_ps(a, inverse)),
                  qb = _mm512_cvtps_epi32(_mm512_mul_ps(b, inverse));
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
                                 .unpack_int8 = unpack_int8_avx512,
                                 .unpack_bf16 = unpack_bf16,
                                 .unpack_float = unpack_float,
                                 .int8_sums = int8_sums,
                                 .bf16_sums = bf16_sums,
                                 .float_sums = float_sums,
                                 .to_int8 = to_int8,
                                 .has_bf16 = true};
  return table;
}

}  // namespace malssi::panel
