// One token's sums straight from packed blocks: each row's bytes are multiplied in the order in which they lie, which takes
// less work than a panel and keeps up with memory. Whole sums are exact, so the results are the panel's to the bit.
#include <algorithm>

#include "kernels/cpu/scratch.h"
#include "kernels/panel/avx512_scales-inl.h"

namespace malssi::panel {
namespace {

constexpr int64_t kHalf =
    256;  // columns that a format's part() takes, of which the first `blocks` by 32 are there

inline __m512i add_words(__m512i a, __m512i b) {
  return _mm512_add_epi32(_mm512_unpacklo_epi32(a, b), _mm512_unpackhi_epi32(a, b));
}
// In each quarter, word i of the result is the sum of that quarter of v[i]; 4 vectors.
inline __m512i sums_of_quarters(const __m512i* v) {
  const __m512i a = add_words(v[0], v[1]), b = add_words(v[2], v[3]);
  return _mm512_add_epi32(_mm512_unpacklo_epi64(a, b), _mm512_unpackhi_epi64(a, b));
}
// Pairs of quarters of a, then of b, added.
inline __m512i sums_of_halves(__m512i a, __m512i b) {
  return _mm512_add_epi32(_mm512_shuffle_i32x4(a, b, 0x88), _mm512_shuffle_i32x4(a, b, 0xdd));
}
inline __m512i dot(__m512i unsigned_bytes, __m512i bytes) {
  return _mm512_dpbusd_epi32(_mm512_setzero_si512(), unsigned_bytes, bytes);
}

// A format: kBytes of 256 columns; kUnit: columns that make 16 groups; part() (or four_blocks(), or unit()): whole sums of some
// columns' groups, as sums_of_quarters leaves them; kHalves: a group is two quarters; word_of(g): where the unit's group g then
// lies; kShift: what the numbers' offset is less than 128, as a power of two (8: there is none); arrange(): x as part() wants
// it, 128 columns at a time.
struct Q8_0Rows {
  static constexpr int64_t kBytes = 8 * 34, kGroup = 32, kUnit = 512;
  static constexpr bool kHalves = true;
  static constexpr int kShift = 0;
  static constexpr int word_of(int g) { return (g / 8 * 2 + g % 2) * 4 + g / 2 % 4; }
  static void arrange(__m512i&, __m512i&) {}
  static __m512i part(const uint8_t* p, const __m512i* x, int64_t blocks) {
    const __m512i sign = _mm512_set1_epi8(static_cast<char>(0x80));
    const auto at = [&](int64_t b) __attribute__((always_inline)) {
      return p + std::min(b, blocks - 1) * 34 + 2;
    };
    __m512i v[4];
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i)
      v[i] = dot(_mm512_xor_si512(both(at(2 * i), at(2 * i + 1)), sign), x[i]);
    return sums_of_quarters(v);
  }
  static void scales(Rows rows, int64_t columns, int64_t lane, Int8Panel& panel) {
    if (columns == kUnit)
      sixteen_scales(rows, lane, panel.scale, HalvesBy34());
    else
      half_scales(rows, 34, 0, columns / 32, lane, panel.scale);
  }
};

struct Q4_0Rows {
  static constexpr int64_t kBytes = 8 * 18, kGroup = 32, kUnit = 512;
  static constexpr bool kHalves = false;
  static constexpr int kShift = 4;
  static constexpr int word_of(int g) { return g % 4 * 4 + g / 4; }
  // Four blocks' first 16 numbers, and their last.
  static void arrange(__m512i& a, __m512i& b) {
    const __m512i low = _mm512_shuffle_i32x4(a, b, 0x88), high = _mm512_shuffle_i32x4(a, b, 0xdd);
    a = low;
    b = high;
  }
  static __m512i four_blocks(const uint8_t* p, const __m512i* x, int64_t blocks) {
    const __m512i low = _mm512_set1_epi8(15);
    const auto at = [&](int64_t b) __attribute__((always_inline)) {
      return p + std::min(b, blocks - 1) * 18 + 2;
    };
    const __m512i bytes = four(at(0), at(1), at(2), at(3));
    const __m512i first = dot(_mm512_and_si512(bytes, low), x[0]);
    return _mm512_dpbusd_epi32(first, _mm512_and_si512(_mm512_srli_epi16(bytes, 4), low), x[1]);
  }
  static void scales(Rows rows, int64_t columns, int64_t lane, Int8Panel& panel) {
    if (columns == kUnit)
      sixteen_scales(rows, lane, panel.scale, HalvesBy18());
    else
      half_scales(rows, 18, 0, columns / 32, lane, panel.scale);
  }
};

// Blocks of 256 with nibbles: 64 bytes hold groups 0 and 2 in their low halves, 1 and 3 in the high ones.
struct Q4KRows {
  static constexpr int64_t kBytes = 144, kGroup = 32, kUnit = 512;
  static constexpr bool kHalves = true;
  static constexpr int kShift = 8;
  static constexpr int word_of(int g) {
    const int in_block = g % 8;
    return (g / 8 * 2 + in_block / 2 % 2) * 4 + in_block / 4 * 2 + in_block % 2;
  }
  static void arrange(__m512i& a, __m512i& b) {
    const __m512i even = _mm512_shuffle_i32x4(a, b, 0x44), odd = _mm512_shuffle_i32x4(a, b, 0xee);
    a = even;
    b = odd;
  }
  static __m512i part(const uint8_t* p, const __m512i* x, int64_t) {
    const __m512i low = _mm512_set1_epi8(15);
    const __m512i a = load512(p + 16), b = load512(p + 80);
    const __m512i v[4] = {dot(_mm512_and_si512(a, low), x[0]),
                          dot(_mm512_and_si512(_mm512_srli_epi16(a, 4), low), x[1]),
                          dot(_mm512_and_si512(b, low), x[2]),
                          dot(_mm512_and_si512(_mm512_srli_epi16(b, 4), low), x[3])};
    return sums_of_quarters(v);
  }
  static void scales(Rows rows, int64_t columns, int64_t lane, Int8Panel& panel) {
    for (int64_t b = 0; b < columns / 256; ++b)
      put_scales_and_mins(rows, b * kBytes, b * 8, lane, panel);
  }
};

struct Q5KRows : Q4KRows {
  static constexpr int64_t kBytes = 176;
  static __m512i part(const uint8_t* p, const __m512i* x, int64_t) {
    const __m512i low = _mm512_set1_epi8(15), fifth = _mm512_set1_epi8(16);
    const __m512i a = load512(p + 48), b = load512(p + 112), high = both(p + 16, p + 16);
    // Bit g of a byte is the fifth bit of group g's number; 4 - g rotated to its place.
    const auto bits = [&](int64_t g) __attribute__((always_inline)) {
      const __m512i turn = _mm512_inserti64x4(_mm512_set1_epi64((g + 60) % 64),
                                              _mm256_set1_epi64x((g + 62) % 64), 1);
      return _mm512_and_si512(_mm512_rorv_epi64(high, turn), fifth);
    };
    const __m512i v[4] = {
        dot(_mm512_or_si512(_mm512_and_si512(a, low), bits(0)), x[0]),
        dot(_mm512_or_si512(_mm512_and_si512(_mm512_srli_epi16(a, 4), low), bits(1)), x[1]),
        dot(_mm512_or_si512(_mm512_and_si512(b, low), bits(4)), x[2]),
        dot(_mm512_or_si512(_mm512_and_si512(_mm512_srli_epi16(b, 4), low), bits(5)), x[3])};
    return sums_of_quarters(v);
  }
  static void scales(Rows rows, int64_t columns, int64_t lane, Int8Panel& panel) {
    for (int64_t b = 0; b < columns / 256; ++b)
      put_scales_and_mins(rows, b * kBytes, b * 8, lane, panel);
  }
};

struct Q6KRows {
  static constexpr int64_t kBytes = 210, kGroup = 16, kUnit = 256;
  static constexpr int kShift = 2;
  static constexpr int word_of(int g) { return g % 4 * 4 + g / 4; }
  static void arrange(__m512i&, __m512i&) {}
  static __m512i unit(const uint8_t* p, const __m512i* x, int64_t) {
    const __m512i low = _mm512_set1_epi8(15), two = _mm512_set1_epi8(48);
    __m512i v[4];
#pragma GCC unroll 2
    for (int half = 0; half < 2; ++half) {
      const __m512i nibbles = load512(p + half * 64),
                    high = both(p + 128 + half * 32, p + 128 + half * 32);
      const auto top = [&](int64_t g) __attribute__((always_inline)) {
        const __m512i turn = _mm512_inserti64x4(_mm512_set1_epi64((g + 60) % 64),
                                                _mm256_set1_epi64x((g + 62) % 64), 1);
        return _mm512_and_si512(_mm512_rorv_epi64(high, turn), two);
      };
      v[half * 2] = dot(_mm512_or_si512(_mm512_and_si512(nibbles, low), top(0)), x[half * 2]);
      v[half * 2 + 1] =
          dot(_mm512_or_si512(_mm512_and_si512(_mm512_srli_epi16(nibbles, 4), low), top(4)),
              x[half * 2 + 1]);
    }
    return sums_of_quarters(v);
  }
  static void scales(Rows rows, int64_t, int64_t lane, Int8Panel& panel) {
    put_scales_q6_k(rows, 0, 0, lane, panel);
  }
};

// sums += the first groups' whole sums, each group one vector of `whole`, times their scales.
template <class Format>
inline __m512 scaled(const __m512i* whole, int64_t groups, const Int8Rows& x,
                     const Int8Panel& panel, int64_t lane, __m512 sum) {
  constexpr bool kHasMin = Format::kShift == 8;
  const int32_t* const offset = Format::kGroup == 32 ? x.offset32 : x.offset16;
  for (int64_t g = 0; g < groups; ++g) {
    __m512i total = whole[Format::word_of(static_cast<int>(g))];
    if (Format::kShift < 8)
      total = _mm512_add_epi32(total, _mm512_set1_epi32(offset[g] >> Format::kShift % 8));
    const __m512 scale = _mm512_mul_ps(_mm512_load_ps(panel.scale + g * kRows + lane),
                                       _mm512_set1_ps(x.scale[g * Format::kGroup / 32]));
    sum = _mm512_fmadd_ps(_mm512_cvtepi32_ps(total), scale, sum);
    if (kHasMin)
      sum = _mm512_fmadd_ps(_mm512_load_ps(panel.min + g * kRows + lane),
                            _mm512_set1_ps(x.sum32[g]), sum);
  }
  return sum;
}

// The whole sums of a unit's 16 groups. Where a format has blocks of 32 and fewer are there, the last one's stand in for the
// others.
template <class Format>
inline __m512i unit_sums(const uint8_t* row, const __m512i* xs, int64_t blocks) {
  if constexpr (Format::kUnit == kHalf) {
    return Format::unit(row, xs, blocks);
  } else if constexpr (Format::kHalves) {
    const __m512i first = Format::part(row, xs, std::min<int64_t>(blocks, 8));
    return sums_of_halves(
        first, blocks > 8 ? Format::part(row + Format::kBytes, xs + 4, blocks - 8) : first);
  } else {
    __m512i v[4];
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j) {
      const int64_t used = std::min<int64_t>(j, (blocks - 1) / 4);
      v[j] = Format::four_blocks(row + used * Format::kBytes / 2, xs + j * 2,
                                 std::min<int64_t>(4, blocks - used * 4));
    }
    return sums_of_quarters(v);
  }
}

// All columns of a row are multiplied before the next row's, so that memory is read in order; then 16 rows' sums are scaled.
template <class Format>
void row_sums(const uint8_t* const* rows, int64_t columns, const Int8Rows& x, Ahead& ahead,
              Int8Panel& panel, float* sums) {
  constexpr int64_t kUnit = Format::kUnit, kVectors = kUnit / 64,
                    kUnitBytes = Format::kBytes * kUnit / kHalf;
  const int64_t units = (columns + kUnit - 1) / kUnit;
  Scratch scratch;
  auto* const xs = reinterpret_cast<__m512i*>(scratch.take<char>(units * kUnit));
  auto* const whole = reinterpret_cast<__m512i*>(scratch.take<char>(units * 16 * 64));
  for (int64_t i = 0; i < units * kVectors; ++i)
    xs[i] = load512(x.q + std::min(i, (columns - 1) / 64) * 64);
  for (int64_t i = 0; i < units * kVectors; i += 2) Format::arrange(xs[i], xs[i + 1]);
  for (int64_t lane = 0; lane < kRows; lane += 16) {
    for (int64_t i = 0; i < 16; ++i)
      for (int64_t u = 0; u < units; ++u) {
        ahead.fetch(kUnitBytes);
        whole[u * 16 + i] = unit_sums<Format>(rows[lane + i] + u * kUnitBytes, xs + u * kVectors,
                                              (columns - u * kUnit) / 32);
      }
    __m512 sum = _mm512_loadu_ps(sums + lane);
    for (int64_t u = 0; u < units; ++u) {
      const uint8_t* at[16];
      for (int i = 0; i < 16; ++i) at[i] = rows[lane + i] + u * kUnitBytes;
      const int64_t here = std::min(kUnit, columns - u * kUnit);
      transpose16(whole + u * 16);
      Format::scales(at, here, lane, panel);
      sum = scaled<Format>(whole + u * 16, here / Format::kGroup, x.from(0, u * kUnit), panel, lane,
                           sum);
    }
    _mm512_storeu_ps(sums + lane, sum);
  }
}

}  // namespace

bool int8_row_sums_avx512(DType dtype, const uint8_t* const* rows, int64_t columns,
                          const Int8Rows& x, Ahead& ahead, Int8Panel& scales, float* sums) {
  switch (dtype) {
    case DType::q8_0:
      row_sums<Q8_0Rows>(rows, columns, x, ahead, scales, sums);
      return true;
    case DType::q4_0:
      row_sums<Q4_0Rows>(rows, columns, x, ahead, scales, sums);
      return true;
    case DType::q4_k:
      row_sums<Q4KRows>(rows, columns, x, ahead, scales, sums);
      return true;
    case DType::q5_k:
      row_sums<Q5KRows>(rows, columns, x, ahead, scales, sums);
      return true;
    case DType::q6_k:
      row_sums<Q6KRows>(rows, columns, x, ahead, scales, sums);
      return true;
    default:
      return false;
  }
}

}  // namespace malssi::panel
