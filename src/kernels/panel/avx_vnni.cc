// Panels with AVX2 and the dot products of bytes that processors without AVX-512 have.
#include <immintrin.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <utility>

#include "kernels/panel/tables.h"

#pragma GCC target("avx2,fma,f16c,avxvnni")

namespace malssi::panel {
namespace {

struct Dot {
  static constexpr bool kSigned = false;
  using Weights = __m256i;
  static Weights weights(__m256i w) { return w; }
  static __m256i add(__m256i sum, Weights w, __m256i x) {
    return _mm256_dpbusd_avx_epi32(sum, w, x);
  }
  static __m256i total(__m256i sum) { return sum; }
};

#include "kernels/panel/avx2-inl.h"
#include "kernels/panel/to_int8-inl.h"

}  // namespace

const Kernels& avx_vnni_kernels() {
  static constexpr Kernels table{.name = "avxvnni",
                                 .unpack_int8 = unpack_int8,
                                 .int8_sums = int8_sums_by<Dot>,
                                 .bf16_sums = nullptr,
                                 .float_sums = float_sums,
                                 .to_int8 = to_int8,
                                 .widen = nullptr,
                                 .has_bf16 = false};
  return table;
}

}  // namespace malssi::panel
