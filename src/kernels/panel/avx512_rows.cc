// One token's sums straight from packed blocks: each row's bytes are multiplied in the order in which they lie, which takes
// less work than a panel and keeps up with memory. Whole sums are exact, so the results are the panel's to the bit.
#include <algorithm>

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

// A format: kBytes of 256 columns; part(): whole sums of the 256 columns' groups, as sums_of_quarters leaves them; kHalves: a
// group is two quarters; word_of(g): where group g of the chunk then lies; kShift: what the numbers' offset is less than 128,
// as a power of two (8: there is none); arrange(): x as part() wants it, 128 columns at a time.
struct Q8_0Rows {
  static constexpr int64_t kBytes = 8 * 34;
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
    half_scales(rows, 34, 0, columns / 32, lane, panel.scale);
  }
};

struct Q4_0Rows {
  static constexpr int64_t kBytes = 8 * 18;
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
    half_scales(rows, 18, 0, columns / 32, lane, panel.scale);
  }
};

// Blocks of 256 with nibbles: 64 bytes hold groups 0 and 2 in their low halves, 1 and 3 in the high ones.
struct Q4KRows {
  static constexpr int64_t kBytes = 144;
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
  static constexpr int64_t kBytes = 210;
  static constexpr int kShift = 2;
  static constexpr int word_of(int g) { return g % 4 * 4 + g / 4; }
  static __m512i part(const uint8_t* p, const __m512i* x) {
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
};

// sums += whole sums of groups first .. last - 1, one group in each vector of `whole`, times their scales.
template <class Format, int kGroup>
inline __m512 scaled(const __m512i* whole, int first, int last, const Int8Rows& x,
                     const Int8Panel& panel, int64_t lane, __m512 sum) {
  constexpr bool kHasMin = Format::kShift == 8;
  const int32_t* const offset = kGroup == 32 ? x.offset32 : x.offset16;
#pragma GCC unroll 4
  for (int g = first; g < last; ++g) {
    __m512i total = whole[Format::word_of(g - first)];
    if (Format::kShift < 8)
      total = _mm512_add_epi32(total, _mm512_set1_epi32(offset[g] >> Format::kShift % 8));
    const __m512 scale = _mm512_mul_ps(_mm512_load_ps(panel.scale + g * kRows + lane),
                                       _mm512_set1_ps(x.scale[g * kGroup / 32]));
    sum = _mm512_fmadd_ps(_mm512_cvtepi32_ps(total), scale, sum);
    if (kHasMin)
      sum = _mm512_fmadd_ps(_mm512_load_ps(panel.min + g * kRows + lane),
                            _mm512_set1_ps(x.sum32[g]), sum);
  }
  return sum;
}

// Formats with groups of 32: 512 columns are 16 groups. Where there are fewer, the last one's sums stand in for the others.
template <class Format>
void sums_by_32(const uint8_t* const* rows, int64_t columns, const Int8Rows& x, Ahead& ahead,
                Int8Panel& panel, float* sums) {
  const int64_t blocks = columns / 32;
  __m512i xs[8];
  for (int i = 0; i < 8; ++i) xs[i] = load512(x.q + std::min<int64_t>(i, (blocks - 1) / 2) * 64);
  for (int i = 0; i < 8; i += 2) Format::arrange(xs[i], xs[i + 1]);
  for (int64_t lane = 0; lane < kRows; lane += 16) {
    __m512i whole[16];
    for (int i = 0; i < 16; ++i) {
      const uint8_t* const row = rows[lane + i];
      ahead.fetch(Format::kBytes * blocks / 8);
      if constexpr (Format::kHalves) {
        const __m512i first = Format::part(row, xs, std::min<int64_t>(blocks, 8));
        whole[i] = sums_of_halves(
            first, blocks > 8 ? Format::part(row + Format::kBytes, xs + 4, blocks - 8) : first);
      } else {
        __m512i v[4];
#pragma GCC unroll 4
        for (int j = 0; j < 4; ++j) {
          const int64_t used = std::min<int64_t>(j, (blocks - 1) / 4);
          v[j] = Format::four_blocks(row + used * Format::kBytes / 2, xs + j * 2,
                                     std::min<int64_t>(4, blocks - used * 4));
        }
        whole[i] = sums_of_quarters(v);
      }
    }
    transpose16(whole);
    Format::scales(rows + lane, columns, lane, panel);
    const __m512 sum = _mm512_loadu_ps(sums + lane);
    _mm512_storeu_ps(sums + lane, scaled<Format, 32>(whole, 0, static_cast<int>(columns / 32), x,
                                                     panel, lane, sum));
  }
}

// Q6_K, with groups of 16: a block is 16 groups.
void sums_q6_k(const uint8_t* const* rows, int64_t columns, const Int8Rows& x, Ahead& ahead,
               Int8Panel& panel, float* sums) {
  for (int64_t lane = 0; lane < kRows; lane += 16) {
    __m512 sum = _mm512_loadu_ps(sums + lane);
    for (int64_t block = 0; block < columns / kHalf; ++block) {
      __m512i xs[4], whole[16];
      for (int i = 0; i < 4; ++i) xs[i] = load512(x.q + block * kHalf + i * 64);
      for (int i = 0; i < 16; ++i) {
        ahead.fetch(Q6KRows::kBytes);
        whole[i] = Q6KRows::part(rows[lane + i] + block * Q6KRows::kBytes, xs);
      }
      transpose16(whole);
      put_scales_q6_k(rows + lane, block * Q6KRows::kBytes, block * 16, lane, panel);
      const int first = static_cast<int>(block) * 16;
      sum = scaled<Q6KRows, 16>(whole, first, first + 16, x, panel, lane, sum);
    }
    _mm512_storeu_ps(sums + lane, sum);
  }
}

}  // namespace

bool int8_row_sums_avx512(DType dtype, const uint8_t* const* rows, int64_t columns,
                          const Int8Rows& x, Ahead& ahead, Int8Panel& scales, float* sums) {
  switch (dtype) {
    case DType::q8_0:
      sums_by_32<Q8_0Rows>(rows, columns, x, ahead, scales, sums);
      return true;
    case DType::q4_0:
      sums_by_32<Q4_0Rows>(rows, columns, x, ahead, scales, sums);
      return true;
    case DType::q4_k:
      sums_by_32<Q4KRows>(rows, columns, x, ahead, scales, sums);
      return true;
    case DType::q5_k:
      sums_by_32<Q5KRows>(rows, columns, x, ahead, scales, sums);
      return true;
    case DType::q6_k:
      sums_q6_k(rows, columns, x, ahead, scales, sums);
      return true;
    default:
      return false;
  }
}

}  // namespace malssi::panel
