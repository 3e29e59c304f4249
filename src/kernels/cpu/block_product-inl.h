// Packed small products for attention, f32 and bf16, on any target; see native_bf16.h for the
// layouts (f32's panels are [N / 16][ldb][16], and its K needs no padding).
#if defined(MALSSI_BLOCK_PRODUCT_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef MALSSI_BLOCK_PRODUCT_INL_H_
#undef MALSSI_BLOCK_PRODUCT_INL_H_
#else
#define MALSSI_BLOCK_PRODUCT_INL_H_
#endif

#include <cstring>
#include <type_traits>

#include "kernels/cpu/features.h"
#include "kernels/cpu/native_bf16.h"
#include "kernels/cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace malssi {
namespace HWY_NAMESPACE {

using hwy::HWY_NAMESPACE::Lanes;

constexpr int64_t kPanel = 16;
inline int64_t round_up(int64_t n, int64_t multiple) {
  return (n + multiple - 1) / multiple * multiple;
}

// Rows of src [K, N] (stride apart) become panels of columns; K is padded to padded_K.
HWY_INLINE void pack_rows(const float* src, int64_t stride, int64_t K, int64_t N, int64_t padded_K,
                          float* panels) {
  for (int64_t n = 0; n < N; n += kPanel) {
    const auto columns = static_cast<size_t>(std::min(kPanel, N - n));
    float* panel = panels + n * padded_K;
    for (int64_t k = 0; k < K; ++k) {
      float* to = panel + k * kPanel;
      std::memcpy(to, src + k * stride + n, columns * sizeof(float));
      for (size_t c = columns; c < kPanel; ++c) to[c] = 0;
    }
    std::memset(panel + K * kPanel, 0,
                static_cast<size_t>((padded_K - K) * kPanel) * sizeof(float));
  }
}

HWY_INLINE void pack_rows(const bf16* src, int64_t stride, int64_t K, int64_t N, int64_t padded_K,
                          bf16* panels) {
  const hn::CappedTag<uint32_t, 16> d32;
  const hn::Rebind<uint16_t, decltype(d32)> d16;
  const auto L = static_cast<int64_t>(Lanes(d32));
  const auto* from = reinterpret_cast<const uint16_t*>(src);
  for (int64_t n = 0; n < N; n += kPanel) {
    auto* to = reinterpret_cast<uint32_t*>(panels + n * padded_K);
    const int64_t columns = std::min(kPanel, N - n);
    int64_t k = 0;
    for (; k + 1 < K && columns == kPanel; k += 2, to += kPanel) {
      const uint16_t* first = from + k * stride + n;
      for (int64_t c = 0; c < kPanel; c += L) {
        const auto low = hn::PromoteTo(d32, hn::LoadU(d16, first + c));
        const auto high = hn::PromoteTo(d32, hn::LoadU(d16, first + stride + c));
        hn::StoreU(hn::Or(low, hn::ShiftLeft<16>(high)), d32, to + c);
      }
    }
    for (; k < padded_K; k += 2, to += kPanel) {
      for (int64_t c = 0; c < kPanel; ++c) {
        const uint32_t low = k < K && c < columns ? from[k * stride + n + c] : 0;
        const uint32_t high = k + 1 < K && c < columns ? from[(k + 1) * stride + n + c] : 0;
        to[c] = low | high << 16;
      }
    }
  }
}

// Rows of src [N, K] become columns: panels of src^T. K even for bf16. N is padded to whole panels,
// K to padded_K.
template <class T>
HWY_INLINE void pack_transposed(const T* src, int64_t stride, int64_t N, int64_t K,
                                int64_t padded_K, T* panels) {
  constexpr int64_t kUnit = 4 / sizeof(T);  // numbers of one column that lie together
  const int64_t units = K / kUnit, padded_units = padded_K / kUnit;
  for (int64_t n = 0; n < round_up(N, kPanel); ++n) {
    char* column =
        reinterpret_cast<char*>(panels + n / kPanel * kPanel * padded_K) + n % kPanel * 4;
    const char* row = reinterpret_cast<const char*>(src + n * stride);
    const int64_t real = n < N ? units : 0;
    for (int64_t u = 0; u < real; ++u) std::memcpy(column + u * kPanel * 4, row + u * 4, 4);
    for (int64_t u = real; u < padded_units; ++u) std::memset(column + u * kPanel * 4, 0, 4);
  }
}

template <int kRows, class V>
HWY_INLINE void store_rows(float* c, int64_t ldc, int64_t column, const V* sum) {
  for (int m = 0; m < kRows; ++m) hn::StoreU(sum[m], Full(), c + m * ldc + column);
}

// c [kRows, one vector of columns] = or += rows of a by the panel's columns from `column` on.
template <int kRows>
HWY_INLINE void rows_by_columns(const float* a, const float* panel, float* c, int64_t column,
                                const BlockShape& s) {
  const Full d;
  hn::Vec<Full> sum[kRows];
  for (int m = 0; m < kRows; ++m)
    sum[m] = s.adds ? hn::LoadU(d, c + m * s.ldc + column) : hn::Zero(d);
  for (int64_t k = 0; k < s.K; ++k) {
    const auto b = hn::LoadU(d, panel + k * kPanel + column);
    for (int m = 0; m < kRows; ++m) sum[m] = hn::MulAdd(hn::Set(d, a[m * s.lda + k]), b, sum[m]);
  }
  store_rows<kRows>(c, s.ldc, column, sum);
}

template <int kRows>
HWY_INLINE void rows_by_columns(const bf16* a, const bf16* panel, float* c, int64_t column,
                                const BlockShape& s) {
  const Full d;
  const hn::Rebind<uint32_t, Full> du;
  hn::Vec<Full> sum[kRows];
  for (int m = 0; m < kRows; ++m)
    sum[m] = s.adds ? hn::LoadU(d, c + m * s.ldc + column) : hn::Zero(d);
  for (int64_t k = 0; k < s.K; k += 2) {
    const auto pair = hn::LoadU(du, reinterpret_cast<const uint32_t*>(panel + k * kPanel) + column);
    const auto even = hn::BitCast(d, hn::ShiftLeft<16>(pair));
    const auto odd = hn::BitCast(d, hn::And(pair, hn::Set(du, 0xffff0000u)));
    for (int m = 0; m < kRows; ++m) {
      sum[m] = hn::MulAdd(hn::Set(d, static_cast<float>(a[m * s.lda + k])), even, sum[m]);
      sum[m] = hn::MulAdd(hn::Set(d, static_cast<float>(a[m * s.lda + k + 1])), odd, sum[m]);
    }
  }
  store_rows<kRows>(c, s.ldc, column, sum);
}

// One row of a against four panels: a single one would wait for each of its sums.
template <class T>
HWY_INLINE void row_by_panels(const T* a, const T* b, float* c, int64_t column,
                              const BlockShape& s) {
  const Full d;
  hn::Vec<Full> sum[4];
  for (int p = 0; p < 4; ++p) sum[p] = s.adds ? hn::LoadU(d, c + p * kPanel + column) : hn::Zero(d);
  const int64_t panel = kPanel * s.ldb;
  for (int64_t k = 0; k < s.K; ++k) {
    const auto x = hn::Set(d, static_cast<float>(a[k]));
    for (int p = 0; p < 4; ++p)
      sum[p] = hn::MulAdd(x, hn::LoadU(d, b + p * panel + k * kPanel + column), sum[p]);
  }
  for (int p = 0; p < 4; ++p) hn::StoreU(sum[p], d, c + p * kPanel + column);
}

template <class T>
HWY_INLINE void product_generic(const T* a, const T* b, float* c, const BlockShape& s) {
  const auto L = static_cast<int64_t>(Lanes(Full()));
  int64_t first = 0;
  if constexpr (std::is_same_v<T, float>)
    for (; s.M == 1 && first + 4 * kPanel <= s.N; first += 4 * kPanel)
      for (int64_t column = 0; column < kPanel; column += L)
        row_by_panels(a, b + first * s.ldb, c + first, column, s);
  for (int64_t n = first; n < s.N; n += kPanel)
    for (int64_t column = 0; column < kPanel; column += L)
      for (int64_t m = 0; m < s.M; m += 8) {
        const T* const rows = a + m * s.lda;
        float* const to = c + m * s.ldc + n;
        if (m + 8 <= s.M)
          rows_by_columns<8>(rows, b + n * s.ldb, to, column, s);
        else
          for (int64_t r = 0; r < s.M - m; ++r)
            rows_by_columns<1>(rows + r * s.lda, b + n * s.ldb, to + r * s.ldc, column, s);
      }
}

HWY_INLINE void block_product(const float* a, const float* b, float* c, const BlockShape& s) {
  product_generic(a, b, c, s);
}
HWY_INLINE void block_product(const bf16* a, const bf16* b, float* c, const BlockShape& s) {
  const CpuFeatures& cpu = cpu_features();
  if (cpu.amx_bf16) return product_amx(a, b, c, s);
  if (cpu.avx512_bf16) return product_avx512_bf16(a, b, c, s);
  product_generic(a, b, c, s);
}

}  // namespace HWY_NAMESPACE
}  // namespace malssi
HWY_AFTER_NAMESPACE();
#endif  // per-target guard
