// After Goto and van de Geijn 2008 ("Anatomy of high-performance matrix multiplication"): a is packed in blocks that
// stay in the second-level cache, b in panels, and 6 x 64 numbers of c stay in registers for the whole sum.
#include "kernels/cpu/weight_gradient.h"

#include <immintrin.h>

#include <algorithm>

#include "base/parallel.h"
#include "kernels/cpu/scratch.h"

namespace malssi {
namespace {

constexpr int64_t kRows = 6;          // of c in registers
constexpr int64_t kColumns = 64;      // of c in registers: four vectors
constexpr int64_t kBlock = 16;        // row panels of a packed at once
constexpr int64_t kMostPairs = 2048;  // of one packing: longer sums are made in pieces
constexpr int64_t kLine = 16;         // numbers of 32 bits in a cache line

// A panel is [pairs][width] pairs of bf16, the low half from the even row; the sum's last odd row is paired with zeros.
struct Panels {
  uint32_t* data;
  int64_t pairs;
  // From panel to panel: one line more than a panel, so that panels do not share cache sets.
  int64_t stride;
  uint32_t* at(int64_t panel) const { return data + panel * stride; }
};

Panels make_panels(Scratch& scratch, int64_t count, int64_t width, int64_t K) {
  const int64_t pairs = (K + 1) / 2, stride = (pairs * width + 2 * kLine - 1) / kLine * kLine;
  return {scratch.take<uint32_t>(count * stride), pairs, stride};
}

// `count` (1 .. 32) columns of two rows, as pairs. A missing second row is null.
struct Pairs {
  __m512i low, high;  // columns 0 .. 15 and 16 .. 31
};
[[gnu::target("avx512bf16,avx512vl")]] inline Pairs pairs_of(const bf16* even, const bf16* odd,
                                                             int64_t count) {
  const __mmask32 mask = count >= 32 ? ~__mmask32{0} : (__mmask32{1} << count) - 1;
  const __m512i a = _mm512_maskz_loadu_epi16(mask, even);
  const __m512i b = odd != nullptr ? _mm512_maskz_loadu_epi16(mask, odd) : _mm512_setzero_si512();
  // maskz: GCC 12 warns of the plain one, whose header reads an undefined value (its bug 105593).
  const __m512i quarters = _mm512_set_epi64(7, 3, 6, 2, 5, 1, 4, 0);
  const __m512i pa = _mm512_maskz_permutexvar_epi64(0xff, quarters, a),
                pb = _mm512_maskz_permutexvar_epi64(0xff, quarters, b);
  const __m512i first = _mm512_unpacklo_epi16(pa, pb), second = _mm512_unpackhi_epi16(pa, pb);
  return {first, second};
}

// Rows 2 pair and 2 pair + 1 of a [K, width] matrix, from `column` on.
struct RowPair {
  RowPair(const bf16* matrix, int64_t width, int64_t K, int64_t pair, int64_t column)
      : even(matrix + 2 * pair * width + column),
        odd(2 * pair + 1 < K ? even + width : nullptr),
        left(width - column) {}
  const bf16 *even, *odd;
  int64_t left;  // columns until the row's end
};

[[gnu::target("avx512bf16,avx512vl")]] inline void store_pairs(const RowPair& rows, int64_t at,
                                                               uint32_t* to) {
  const int64_t left = rows.left - at;
  if (left <= 0) {
    _mm512_storeu_si512(to, _mm512_setzero_si512());
    _mm512_storeu_si512(to + kLine, _mm512_setzero_si512());
    return;
  }
  const Pairs pairs = pairs_of(rows.even + at, rows.odd ? rows.odd + at : nullptr, left);
  _mm512_storeu_si512(to, pairs.low);
  _mm512_storeu_si512(to + kLine, pairs.high);
}

// Pairs begin .. end - 1 of every panel of b.
[[gnu::target("avx512bf16,avx512vl")]] void pack_columns(const bf16* b, int64_t N, int64_t K,
                                                         const Panels& to, int64_t begin,
                                                         int64_t end) {
  for (int64_t panel = 0; panel * kColumns < N; ++panel) {
    for (int64_t pair = begin; pair < end; ++pair) {
      const RowPair rows(b, N, K, pair, panel * kColumns);
      for (int64_t at = 0; at < kColumns; at += 32)
        store_pairs(rows, at, to.at(panel) + pair * kColumns + at);
    }
  }
}

// `count` panels of a, from column `column` on. Some rows at a time go through a buffer, so that what is read again has
// reached the cache.
[[gnu::target("avx512bf16,avx512vl")]] void pack_block(const bf16* a, int64_t M, int64_t K,
                                                       int64_t column, int64_t count,
                                                       const Panels& to) {
  constexpr int64_t kAtOnce = 16, kWidth = kBlock * kRows + 32;
  alignas(64) uint32_t lines[kAtOnce * kWidth];
  for (int64_t first = 0; first < to.pairs; first += kAtOnce) {
    const int64_t pairs = std::min(kAtOnce, to.pairs - first);
    for (int64_t i = 0; i < pairs; ++i) {
      const RowPair rows(a, M, K, first + i, column);
      for (int64_t at = 0; at < count * kRows; at += 32)
        store_pairs(rows, at, lines + i * kWidth + at);
    }
    for (int64_t panel = 0; panel < count; ++panel) {
      uint32_t* next = to.at(panel) + first * kRows;
      for (int64_t i = 0; i < pairs; ++i, next += kRows) {
        const uint32_t* line = lines + i * kWidth + panel * kRows;
        const __m256i six = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(line));
        _mm256_mask_storeu_epi32(next, (1 << kRows) - 1, six);
      }
    }
  }
}

// One 6 x 64 tile of c, of which rows x columns are real.
[[gnu::target("avx512bf16,avx512vl")]] void multiply(const uint32_t* a, const uint32_t* b,
                                                     int64_t pairs, float* c, int64_t ldc,
                                                     int64_t rows, int64_t columns, bool adds) {
  __m512 sum[kRows][4];
  for (auto& row : sum)
    for (auto& part : row) part = _mm512_setzero_ps();
  for (int64_t k = 0; k < pairs; ++k, a += kRows, b += kColumns) {
    __m512bh column[4];
    for (int j = 0; j < 4; ++j)
      column[j] = reinterpret_cast<__m512bh>(_mm512_loadu_si512(b + j * kLine));
    for (int i = 0; i < kRows; ++i) {
      const auto row = reinterpret_cast<__m512bh>(_mm512_set1_epi32(static_cast<int>(a[i])));
      for (int j = 0; j < 4; ++j) sum[i][j] = _mm512_dpbf16_ps(sum[i][j], row, column[j]);
    }
  }
  for (int i = 0; i < kRows && i < rows; ++i) {
    for (int j = 0; j < 4; ++j) {
      const int64_t left = std::clamp<int64_t>(columns - j * kLine, 0, kLine);
      const auto mask = static_cast<__mmask16>((1u << left) - 1);
      float* to = c + i * ldc + j * kLine;
      const __m512 old = adds ? _mm512_maskz_loadu_ps(mask, to) : _mm512_setzero_ps();
      _mm512_mask_storeu_ps(to, mask, _mm512_add_ps(old, sum[i][j]));
    }
  }
}

// Row panels first .. last - 1 of c.
void multiply_panels(const bf16* a, const Panels& b, float* c, int64_t M, int64_t N, int64_t K,
                     int64_t first, int64_t last, bool adds) {
  Scratch scratch;
  const Panels block = make_panels(scratch, last - first, kRows, K);
  pack_block(a, M, K, first * kRows, last - first, block);
  for (int64_t n = 0; n < N; n += kColumns)
    for (int64_t panel = first; panel < last; ++panel)
      multiply(block.at(panel - first), b.at(n / kColumns), b.pairs, c + panel * kRows * N + n, N,
               M - panel * kRows, N - n, adds);
}

void multiply_piece(const bf16* a, const bf16* b, float* c, int64_t M, int64_t N, int64_t K,
                    bool adds) {
  Scratch scratch;
  const Panels columns = make_panels(scratch, (N + kColumns - 1) / kColumns, kColumns, K);
  parallel_for(columns.pairs, 64,
               [&](int64_t begin, int64_t end) { pack_columns(b, N, K, columns, begin, end); });
  const int64_t panels = (M + kRows - 1) / kRows, threads = thread_count();
  const int64_t rounds = (panels + kBlock * threads - 1) / (kBlock * threads);
  const int64_t blocks = std::min(panels, rounds * threads);
  parallel_for(blocks, 1, [&](int64_t begin, int64_t end) {
    for (int64_t block = begin; block < end; ++block)
      multiply_panels(a, columns, c, M, N, K, panels * block / blocks,
                      panels * (block + 1) / blocks, adds);
  });
}

}  // namespace

void weight_gradient_bf16(const bf16* a, const bf16* b, float* c, int64_t M, int64_t N, int64_t K,
                          bool adds) {
  for (int64_t k = 0; k < K; k += 2 * kMostPairs)
    multiply_piece(a + k * M, b + k * N, c, M, N, std::min(2 * kMostPairs, K - k), adds || k > 0);
}

}  // namespace malssi
