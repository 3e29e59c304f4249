// Panels with AVX2, FMA and F16C. Without a dot product of bytes, weights are split into nibbles, so that the sums of two
// products fit into 16 bits.
#include <immintrin.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "kernels/panel/tables.h"

#pragma GCC target("avx2,fma,f16c")

namespace malssi::panel {
namespace {

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

#include "kernels/panel/unpack-inl.h"

void group_product(const uint8_t* w, const int8_t* x, int64_t columns, int32_t* sum) {
  const __m256i low_bits = _mm256_set1_epi8(15), ones = _mm256_set1_epi16(1),
                sixteens = _mm256_set1_epi16(16);
  __m256i sums[4];
  for (int v = 0; v < 4; ++v)
    sums[v] = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(sum + v * 8));
  for (int64_t c = 0; c < columns; c += 4) {
    int32_t four;
    std::memcpy(&four, x + c, 4);
    const __m256i xs = _mm256_set1_epi32(four);
    for (int v = 0; v < 4; ++v, w += 32) {
      const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(w));
      const __m256i low = _mm256_maddubs_epi16(_mm256_and_si256(bytes, low_bits), xs);
      const __m256i high =
          _mm256_maddubs_epi16(_mm256_and_si256(_mm256_srli_epi16(bytes, 4), low_bits), xs);
      sums[v] = _mm256_add_epi32(sums[v], _mm256_add_epi32(_mm256_madd_epi16(low, ones),
                                                           _mm256_madd_epi16(high, sixteens)));
    }
  }
  for (int v = 0; v < 4; ++v) _mm256_storeu_si256(reinterpret_cast<__m256i*>(sum + v * 8), sums[v]);
}

#include "kernels/panel/generic-inl.h"

}  // namespace

const Kernels& avx2_kernels() {
  static constexpr Kernels table{.name = "avx2",
                                 .unpack_int8 = unpack_int8,
                                 .int8_sums = int8_sums,
                                 .bf16_sums = nullptr,
                                 .float_sums = float_sums,
                                 .to_int8 = to_int8,
                                 .has_bf16 = false};
  return table;
}

}  // namespace malssi::panel
