// Panels with AVX2, FMA and F16C. There is no dot product of bytes: pairs of products are added in 16 bits, as many as fit.
#include <immintrin.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <utility>

#include "kernels/panel/tables.h"

#pragma GCC target("avx2,fma,f16c")

namespace malssi::panel {
namespace {

// Of numbers below 2^kBits, 4 at most: a whole group's products, each below 15 * 127, fit.
struct NarrowDot {
  static constexpr bool kSigned = false;
  using Weights = __m256i;
  static Weights weights(__m256i w) { return w; }
  static __m256i add(__m256i sum, Weights w, __m256i x) {
    return _mm256_add_epi16(sum, _mm256_maddubs_epi16(w, x));
  }
  static __m256i total(__m256i sum) { return _mm256_madd_epi16(sum, _mm256_set1_epi16(1)); }
};

// Below 2^6: one pair fits.
struct WideDot {
  static constexpr bool kSigned = false;
  using Weights = __m256i;
  static Weights weights(__m256i w) { return w; }
  static __m256i add(__m256i sum, Weights w, __m256i x) {
    return _mm256_add_epi32(sum,
                            _mm256_madd_epi16(_mm256_maddubs_epi16(w, x), _mm256_set1_epi16(1)));
  }
  static __m256i total(__m256i sum) { return sum; }
};

// Whole bytes less 128: |w| times x with w's sign; two of them are 2 * 128 * 127 at most.
struct SignedDot {
  static constexpr bool kSigned = true;
  struct Weights {
    __m256i value, size;
  };
  static Weights weights(__m256i w) {
    const __m256i value = _mm256_xor_si256(w, _mm256_set1_epi8(static_cast<char>(0x80)));
    return {value, _mm256_abs_epi8(value)};
  }
  static __m256i add(__m256i sum, const Weights& w, __m256i x) {
    const __m256i pairs = _mm256_maddubs_epi16(w.size, _mm256_sign_epi8(x, w.value));
    return _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
  }
  static __m256i total(__m256i sum) { return sum; }
};

#include "kernels/panel/avx2-inl.h"
#include "kernels/panel/to_int8-inl.h"

void int8_sums(const Int8Panel& panel, Int8Layout layout, const Int8Rows& x, int64_t tokens,
               int64_t columns, int64_t next_bytes, Ahead& ahead, float* sums) {
  const auto run = layout.bits <= 4   ? int8_sums_by<NarrowDot>
                   : layout.bits <= 6 ? int8_sums_by<WideDot>
                                      : int8_sums_by<SignedDot>;
  run(panel, layout, x, tokens, columns, next_bytes, ahead, sums);
}

}  // namespace

const Kernels& avx2_kernels() {
  static constexpr Kernels table{.name = "avx2",
                                 .unpack_int8 = unpack_int8,
                                 .int8_sums = int8_sums,
                                 .bf16_sums = nullptr,
                                 .float_sums = float_sums,
                                 .to_int8 = to_int8,
                                 .widen = nullptr,
                                 .has_bf16 = false};
  return table;
}

}  // namespace malssi::panel
