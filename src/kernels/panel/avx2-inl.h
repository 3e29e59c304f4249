// Panels with 256-bit vectors: included by the files of AVX2 and of AVX-VNNI, inside their namespaces, after their Dots: how
// bytes are multiplied and added, each for the numbers of some formats.

inline float half_value(uint16_t bits) { return _cvtsh_ss(bits); }

// 32 of them.
inline void floats_of_halves(const uint8_t* halves, float* to) {
  for (int64_t r = 0; r < kRows; r += 8)
    _mm256_storeu_ps(
        to + r, _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(halves + r * 2))));
}

// Each byte, below 16, becomes the table's number.
inline void look_up(const uint8_t* table, uint32_t* words, int64_t count) {
  const __m256i values =
      _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(table)));
  for (int64_t i = 0; i < count; i += 8) {
    auto* const at = reinterpret_cast<__m256i*>(words + i);
    _mm256_storeu_si256(at, _mm256_shuffle_epi8(values, _mm256_loadu_si256(at)));
  }
}

#include "kernels/panel/token_tiles-inl.h"
#include "kernels/panel/unpack-inl.h"

inline __m256i load256(const void* p) { return _mm256_loadu_si256(static_cast<const __m256i*>(p)); }

// sums [kTokens, 32] of the panel's rows from `row` on, 8 for each of kVectors.
template <class Dot, int kTokens, int kVectors, int kGroup, bool kMin>
inline void int8_tile(const Int8Panel& panel, int zero_shift, const Int8Rows& x, int64_t columns,
                      int64_t row, float* out) {
  const int64_t K = x.columns;
  const int32_t* const offset = kGroup == 32 ? x.offset32 : x.offset16;
  const float* const x_sum = kGroup == 32 ? x.sum32 : x.sum16;
  for (int64_t g = 0; g < columns / kGroup; ++g) {
    const uint8_t* w = panel.q + g * panel.group_bytes + row * 4;
    __m256i dot[kTokens][kVectors];
#pragma GCC unroll 8
    for (int m = 0; m < kTokens; ++m)
#pragma GCC unroll 8
      for (int v = 0; v < kVectors; ++v) dot[m][v] = _mm256_setzero_si256();
    const auto finish = [&](int m, int v) __attribute__((always_inline)) {
      const int32_t start = kMin || Dot::kSigned ? 0 : offset[m * (K / kGroup) + g] >> zero_shift;
      const __m256 total =
          _mm256_cvtepi32_ps(_mm256_add_epi32(Dot::total(dot[m][v]), _mm256_set1_epi32(start)));
      const int64_t at = g * kRows + row + v * 8;
      const __m256 scale = _mm256_mul_ps(_mm256_load_ps(panel.scale + at),
                                         _mm256_set1_ps(x.scale[m * (K / 32) + g * kGroup / 32]));
      float* const sum = out + m * kRows + row + v * 8;
      __m256 result = _mm256_fmadd_ps(total, scale, _mm256_loadu_ps(sum));
      if (kMin)
        result = _mm256_fmadd_ps(_mm256_load_ps(panel.min + at),
                                 _mm256_set1_ps(x_sum[m * (K / kGroup) + g]), result);
      _mm256_storeu_ps(sum, result);
    };
#pragma GCC unroll 8
    for (int c = 0; c < kGroup; c += 4, w += 4 * kRows) {
      typename Dot::Weights weights[kVectors];
#pragma GCC unroll 8
      for (int v = 0; v < kVectors; ++v) weights[v] = Dot::weights(load256(w + v * 32));
#pragma GCC unroll 8
      for (int m = 0; m < kTokens; ++m) {
        int32_t bytes;
        std::memcpy(&bytes, x.q + m * K + g * kGroup + c, 4);
        const __m256i xs = _mm256_set1_epi32(bytes);
#pragma GCC unroll 8
        for (int v = 0; v < kVectors; ++v) dot[m][v] = Dot::add(dot[m][v], weights[v], xs);
      }
    }
#pragma GCC unroll 8
    for (int m = 0; m < kTokens; ++m)
#pragma GCC unroll 8
      for (int v = 0; v < kVectors; ++v) finish(m, v);
  }
}

template <class Dot, int kGroup, bool kMin>
void int8_rows(const Int8Panel& panel, int zero_shift, const Int8Rows& x, int64_t tokens,
               int64_t columns, float* sums) {
  token_tiles<4>(tokens, [&](auto count, int64_t m) {
    constexpr int kVectors = count.value == 1 ? 4 : 2;
    for (int64_t row = 0; row < kRows; row += kVectors * 8)
      int8_tile<Dot, count.value, kVectors, kGroup, kMin>(panel, zero_shift, x.from(m, 0), columns,
                                                          row, sums + m * kRows);
  });
}

template <class Dot>
void int8_sums_by(const Int8Panel& panel, Int8Layout layout, const Int8Rows& x, int64_t tokens,
                  int64_t columns, int64_t next_bytes, Ahead& ahead, float* sums) {
  ahead.fetch(next_bytes);
  const auto run = layout.group == 32
                       ? (layout.has_min ? int8_rows<Dot, 32, true> : int8_rows<Dot, 32, false>)
                       : (layout.has_min ? int8_rows<Dot, 16, true> : int8_rows<Dot, 16, false>);
  run(panel, layout.zero_shift, x, tokens, columns, sums);
}

// 8 numbers of a dense row as floats.
inline __m256 floats_at(DType dtype, const uint8_t* row, int64_t c) {
  if (dtype == DType::f32) return _mm256_loadu_ps(reinterpret_cast<const float*>(row) + c);
  const __m128i halves = _mm_loadu_si128(reinterpret_cast<const __m128i*>(row + c * 2));
  if (dtype == DType::f16) return _mm256_cvtph_ps(halves);
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(halves), 16));
}

inline float float_at(DType dtype, const uint8_t* row, int64_t c) {
  if (dtype == DType::f32) return reinterpret_cast<const float*>(row)[c];
  uint16_t bits;
  std::memcpy(&bits, row + c * 2, 2);
  return dtype == DType::f16 ? half_value(bits)
                             : std::bit_cast<float>(static_cast<uint32_t>(bits) << 16);
}

inline float sum_of_lanes(__m256 v) {
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}

// sums [kTokens, 32] += x times two rows of weights.
template <DType kDType, int kTokens>
inline void float_tile(const uint8_t* const* rows, const float* x, int64_t stride, int64_t columns,
                       float* sums) {
  __m256 sum[kTokens][2];
#pragma GCC unroll 8
  for (int m = 0; m < kTokens; ++m) sum[m][0] = sum[m][1] = _mm256_setzero_ps();
  int64_t c = 0;
  for (; c + 8 <= columns; c += 8) {
    const __m256 a = floats_at(kDType, rows[0], c), b = floats_at(kDType, rows[1], c);
#pragma GCC unroll 8
    for (int m = 0; m < kTokens; ++m) {
      const __m256 xs = _mm256_loadu_ps(x + m * stride + c);
      sum[m][0] = _mm256_fmadd_ps(a, xs, sum[m][0]);
      sum[m][1] = _mm256_fmadd_ps(b, xs, sum[m][1]);
    }
  }
  for (int m = 0; m < kTokens; ++m)
    for (int r = 0; r < 2; ++r) {
      float total = sum_of_lanes(sum[m][r]);
      for (int64_t i = c; i < columns; ++i)
        total = std::fma(float_at(kDType, rows[r], i), x[m * stride + i], total);
      sums[m * kRows + r] += total;
    }
}

template <DType kDType>
void float_rows(const uint8_t* const* rows, const float* x, int64_t stride, int64_t tokens,
                int64_t columns, Ahead& ahead, float* sums) {
  token_tiles<5>(tokens, [&](auto count, int64_t m) {
    for (int64_t r = 0; r < kRows; r += 2) {
      ahead.fetch(columns * dtype_size(kDType) * 2);
      float_tile<kDType, count.value>(rows + r, x + m * stride, stride, columns,
                                      sums + m * kRows + r);
    }
  });
}

void float_sums(DType dtype, const uint8_t* const* rows, const float* x, int64_t stride,
                int64_t tokens, int64_t columns, Ahead& ahead, float* sums) {
  const auto run = dtype == DType::f32   ? float_rows<DType::f32>
                   : dtype == DType::f16 ? float_rows<DType::f16>
                                         : float_rows<DType::bf16>;
  run(rows, x, stride, tokens, columns, ahead, sums);
}
