// The one file with instructions that Highway lacks: AVX-512 bf16 dot products and AMX tiles (Intel
// SDM, volume 2).
#include "kernels/cpu/native_bf16.h"

#include <immintrin.h>

#include <cstring>
#include <type_traits>

namespace malssi {
namespace {

constexpr int64_t kTile = 16;

// kRows rows of c against kPanels panels of 16 columns.
template <int kRows, int kPanels>
__attribute__((target("avx512f,avx512bf16"))) void rows_by_panels(const bf16* a, const bf16* b,
                                                                  float* c, const BlockShape& s) {
  __m512 sum[kRows][kPanels];
  for (int m = 0; m < kRows; ++m)
    for (int n = 0; n < kPanels; ++n)
      sum[m][n] = s.adds ? _mm512_loadu_ps(c + m * s.ldc + n * kTile) : _mm512_setzero_ps();
  for (int64_t k = 0; k < s.K; k += 2) {
    __m512bh column[kPanels];
    for (int n = 0; n < kPanels; ++n)
      column[n] = reinterpret_cast<__m512bh>(_mm512_loadu_si512(b + n * kTile * s.ldb + k * kTile));
    for (int m = 0; m < kRows; ++m) {
      int32_t pair = 0;
      std::memcpy(&pair, a + m * s.lda + k, sizeof(pair));
      const auto row = reinterpret_cast<__m512bh>(_mm512_set1_epi32(pair));
      for (int n = 0; n < kPanels; ++n) sum[m][n] = _mm512_dpbf16_ps(sum[m][n], row, column[n]);
    }
  }
  for (int m = 0; m < kRows; ++m)
    for (int n = 0; n < kPanels; ++n) _mm512_storeu_ps(c + m * s.ldc + n * kTile, sum[m][n]);
}

template <int kPanels>
void panels_product(const bf16* a, const bf16* b, float* c, const BlockShape& s) {
  int64_t m = 0;
  const auto rows = [&](auto count) {
    for (; m + count.value <= s.M; m += count.value)
      rows_by_panels<count.value, kPanels>(a + m * s.lda, b, c + m * s.ldc, s);
  };
  rows(std::integral_constant<int, 8>());
  rows(std::integral_constant<int, 4>());
  rows(std::integral_constant<int, 2>());
  rows(std::integral_constant<int, 1>());
}

struct alignas(64) TileConfig {
  uint8_t palette = 1;
  uint8_t start_row = 0;
  uint8_t reserved[14] = {};
  uint16_t bytes_per_row[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};

// Tiles 0..3 hold c, 4..5 rows of a, 6..7 panels of b. kWide: two panels; kTall: two blocks of 16
// rows.
template <bool kTall, bool kWide>
__attribute__((target("amx-tile,amx-bf16"))) void tiles_product(const bf16* a, const bf16* b,
                                                                float* c, const BlockShape& s) {
  const auto c_stride = static_cast<size_t>(s.ldc) * sizeof(float);
  const auto a_stride = static_cast<size_t>(s.lda) * sizeof(bf16);
  const int64_t panel = s.ldb * kTile;
  if (s.adds) {
    _tile_loadd(0, c, c_stride);
    if (kWide) _tile_loadd(1, c + kTile, c_stride);
    if (kTall) _tile_loadd(2, c + kTile * s.ldc, c_stride);
    if (kTall && kWide) _tile_loadd(3, c + kTile * s.ldc + kTile, c_stride);
  } else {
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
  }
  for (int64_t k = 0; k < s.K; k += 32) {
    _tile_loadd(4, a + k, a_stride);
    _tile_loadd(6, b + k * kTile, 64);
    _tile_dpbf16ps(0, 4, 6);
    if (kWide) _tile_loadd(7, b + panel + k * kTile, 64);
    if (kWide) _tile_dpbf16ps(1, 4, 7);
    if (kTall) _tile_loadd(5, a + kTile * s.lda + k, a_stride);
    if (kTall) _tile_dpbf16ps(2, 5, 6);
    if (kTall && kWide) _tile_dpbf16ps(3, 5, 7);
  }
  _tile_stored(0, c, c_stride);
  if (kWide) _tile_stored(1, c + kTile, c_stride);
  if (kTall) _tile_stored(2, c + kTile * s.ldc, c_stride);
  if (kTall && kWide) _tile_stored(3, c + kTile * s.ldc + kTile, c_stride);
}

template <bool kTall>
void tiles_row(const bf16* a, const bf16* b, float* c, const BlockShape& s) {
  int64_t n = 0;
  for (; n + 2 * kTile <= s.N; n += 2 * kTile)
    tiles_product<kTall, true>(a, b + n * s.ldb, c + n, s);
  if (n < s.N) tiles_product<kTall, false>(a, b + n * s.ldb, c + n, s);
}

__attribute__((target("avx512f"))) __m512 scaled(const int8_t* levels, const float* scales) {
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(levels));
  return _mm512_mul_ps(_mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(bytes)), _mm512_loadu_ps(scales));
}

}  // namespace

__attribute__((target("avx512f,avx512bf16"))) void scale_levels_avx512_bf16(
    const ScaledLevels& from, bf16* to) {
  for (int64_t unit = 0; unit < from.units; ++unit) {
    const int8_t* levels = from.levels + unit * kScaledUnit;
    const float* scales = from.scales + unit * from.step;
    const __m512 first = scaled(levels, scales), second = scaled(levels + 16, scales + 16);
    _mm512_storeu_si512(to + unit * kScaledUnit,
                        reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(second, first)));
  }
}

void product_avx512_bf16(const bf16* a, const bf16* b, float* c, const BlockShape& s) {
  int64_t n = 0;
  if (s.M < 8)  // so few rows that columns must keep the processor busy
    for (; n + 4 * kTile <= s.N; n += 4 * kTile) panels_product<4>(a, b + n * s.ldb, c + n, s);
  for (; n + 2 * kTile <= s.N; n += 2 * kTile) panels_product<2>(a, b + n * s.ldb, c + n, s);
  if (n < s.N) panels_product<1>(a, b + n * s.ldb, c + n, s);
}

void product_amx(const bf16* a, const bf16* b, float* c, const BlockShape& s) {
  int64_t m = 0;
  for (; m + 2 * kTile <= s.M; m += 2 * kTile) tiles_row<true>(a + m * s.lda, b, c + m * s.ldc, s);
  if (m < s.M) tiles_row<false>(a + m * s.lda, b, c + m * s.ldc, s);
}

__attribute__((target("amx-tile"))) void begin_tiles() {
  // In memory for good: the intrinsic tells the compiler of its first 8 bytes only.
  static constinit TileConfig config;
  _tile_loadconfig(&config);
}

__attribute__((target("amx-tile"))) void end_tiles() { _tile_release(); }

}  // namespace malssi
