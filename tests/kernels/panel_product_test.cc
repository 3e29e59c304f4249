#include "kernels/panel_product.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "base/random.h"
#include "kernels/cpu/features.h"
#include "kernels/panel/interleave.h"
#include "kernels/panel/tables.h"

namespace malssi {
namespace {

using namespace panel;

constexpr DType kBlockFormats[] = {
    DType::q8_0, DType::q4_0, DType::q4_1, DType::q5_0,   DType::q5_1,  DType::q2_k, DType::q3_k,
    DType::q4_k, DType::q5_k, DType::q6_k, DType::iq4_nl, DType::mxfp4, DType::nf4};

std::vector<float> random_floats(Rng& rng, int64_t n) {
  std::vector<float> values(static_cast<size_t>(n));
  for (float& v : values) v = static_cast<float>(rng.normal());
  return values;
}

// Blocks with any numbers and moderate scales: no half has all exponent bits set.
std::vector<uint8_t> random_blocks(Rng& rng, DType dtype, int64_t count) {
  std::vector<uint8_t> bytes(static_cast<size_t>(dtype_bytes(dtype, count)));
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(rng.below(256) & 0xbf);
  const DTypeBlock block = dtype_block(dtype);
  for (size_t at = 0; at < bytes.size(); at += static_cast<size_t>(block.bytes))
    if (dtype == DType::mxfp4) {
      bytes[at] = static_cast<uint8_t>(120 + rng.below(10));
    } else if (dtype == DType::nf4) {
      const bf16 largest(static_cast<float>(1 + rng.uniform()));
      std::memcpy(bytes.data() + at, &largest.bits, sizeof(largest.bits));
    }
  return bytes;
}

std::vector<uint8_t> random_weights(Rng& rng, DType dtype, int64_t count) {
  if (is_block_format(dtype)) return random_blocks(rng, dtype, count);
  const std::vector<float> values = random_floats(rng, count);
  std::vector<uint8_t> bytes(static_cast<size_t>(dtype_bytes(dtype, count)));
  for (int64_t i = 0; i < count; ++i) {
    const float v = values[static_cast<size_t>(i)];
    const uint16_t half = dtype == DType::f16 ? float_to_half(v) : bf16(v).bits;
    if (dtype == DType::f32)
      std::memcpy(bytes.data() + i * 4, &v, 4);
    else
      std::memcpy(bytes.data() + i * 2, &half, 2);
  }
  return bytes;
}

// The numbers of a matrix [N, K] through the reference's panels.
std::vector<float> widened(DType dtype, const std::vector<uint8_t>& bytes, int64_t N, int64_t K) {
  std::vector<float> wide(static_cast<size_t>(N * K));
  const int64_t row_bytes = dtype_bytes(dtype, K);
  Ahead none(nullptr, nullptr);
  for (int64_t n = 0; n < N; ++n) {
    const uint8_t* rows[kRows];
    for (const uint8_t*& row : rows) row = bytes.data() + n * row_bytes;
    if (!is_block_format(dtype)) {
      for (int64_t k = 0; k < K; ++k) {
        const uint8_t* at = rows[0] + k * dtype_size(dtype);
        uint32_t word = 0;
        std::memcpy(&word, at, static_cast<size_t>(dtype_size(dtype)));
        wide[static_cast<size_t>(n * K + k)] =
            dtype == DType::f16 ? half_to_float(static_cast<uint16_t>(word))
                                : std::bit_cast<float>(dtype == DType::f32 ? word : word << 16);
      }
      continue;
    }
    static Int8Panel ints;
    const int64_t group = int8_layout(dtype).group;
    const int64_t step = dtype_block(dtype).elements;
    for (int64_t k = 0; k < K; k += step) {
      std::vector<uint8_t> chunk(static_cast<size_t>(kRows * dtype_block(dtype).bytes));
      interleave(dtype, rows, 1, chunk.data());
      panel::scalar_kernels().unpack_int8(dtype, chunk.data(), step, none, ints);
      const Int8Layout layout = int8_layout(dtype);
      const int zero = layout.has_min ? 0 : 128 >> layout.zero_shift;
      for (int64_t c = 0; c < step; ++c) {
        const uint8_t* const at = ints.q + c / group * ints.group_bytes;
        const auto q = static_cast<float>(at[c % group / 4 * kRows * 4 + c % 4] - zero);
        const float min = int8_layout(dtype).has_min ? ints.min[c / group * kRows] : 0;
        wide[static_cast<size_t>(n * K + k + c)] = q * ints.scale[c / group * kRows] + min;
      }
      for (const uint8_t*& row : rows) row += dtype_block(dtype).bytes;
    }
  }
  return wide;
}

std::vector<float> product(const std::vector<float>& x, const std::vector<uint8_t>& w, DType dtype,
                           int64_t M, int64_t N, int64_t K) {
  std::vector<float> y(static_cast<size_t>(M * N));
  const WeightRows part{w.data(), dtype, N};
  panel_product({x.data(), DType::f32}, {&part, 1}, nullptr, {y.data(), DType::f32}, M, K);
  return y;
}

std::vector<DType> all_dtypes() {
  std::vector<DType> all = {DType::f32, DType::f16, DType::bf16};
  for (const DType dtype : kBlockFormats) all.push_back(dtype);
  return all;
}

TEST(PanelProduct, EqualsTheProductOfTheUnpackedNumbers) {
  Rng rng(1);
  constexpr int64_t M = 5, N = 45, K = 768;
  for (const DType dtype : all_dtypes()) {
    const std::vector<float> x = random_floats(rng, M * K);
    const std::vector<uint8_t> w = random_weights(rng, dtype, N * K);
    const std::vector<float> wide = widened(dtype, w, N, K), y = product(x, w, dtype, M, N, K);
    for (int64_t m = 0; m < M; ++m)
      for (int64_t n = 0; n < N; ++n) {
        double sum = 0, size = 0;
        for (int64_t k = 0; k < K; ++k) {
          const double term =
              double{x[static_cast<size_t>(m * K + k)]} * wide[static_cast<size_t>(n * K + k)];
          sum += term;
          size += term * term;
        }
        // Activations lose about 1/200 of themselves (five deviations allowed), bf16 less.
        const double tolerance = dtype == DType::f32 || dtype == DType::f16 ? 1e-5 : 0.03;
        EXPECT_NEAR(y[static_cast<size_t>(m * N + n)], sum, tolerance * std::sqrt(size) + 1e-6)
            << dtype_name(dtype) << " at " << m << ", " << n;
      }
  }
}

TEST(PanelProduct, GivesARowTheSameBitsWhateverElseIsInTheBatch) {
  Rng rng(2);
  constexpr int64_t M = 29, N = 70;
  for (const DType dtype : all_dtypes())
    for (const int64_t K : {1024, 800, 288, 96, 32}) {
      if (K % dtype_block(dtype).elements != 0) continue;
      const std::vector<float> x = random_floats(rng, M * K);
      const std::vector<uint8_t> w = random_weights(rng, dtype, N * K);
      const std::vector<float> together = product(x, w, dtype, M, N, K);
      for (const int64_t m : {0, 7, 28}) {
        const std::vector<float> one(x.begin() + m * K, x.begin() + (m + 1) * K);
        const std::vector<float> alone = product(one, w, dtype, 1, N, K);
        EXPECT_EQ(std::memcmp(alone.data(), together.data() + m * N, N * sizeof(float)), 0)
            << dtype_name(dtype) << " row " << m;
      }
    }
}

// Block formats add whole numbers, and floats in one order: every instruction set agrees to the bit.
TEST(PanelProduct, EveryInstructionSetGivesTheReferencesBits) {
  Rng rng(3);
  constexpr int64_t kTokens = 7;
  std::vector<const Kernels*> others;
  const CpuFeatures& cpu = cpu_features();
  if (cpu.avx2) others.push_back(&avx2_kernels());
  if (cpu.avx_vnni) others.push_back(&avx_vnni_kernels());
  if (cpu.avx512_vnni) others.push_back(&avx512_kernels());
  Ahead none(nullptr, nullptr);
  for (const DType dtype : kBlockFormats)
    for (const int64_t columns : {dtype_block(dtype).elements, int64_t{512}}) {
      const std::vector<float> x = random_floats(rng, kTokens * columns);
      const std::vector<uint8_t> w = random_blocks(rng, dtype, kRows * columns);
      const auto sums_of = [&](const Kernels& k) {
        std::vector<int8_t> q(x.size());
        std::vector<float> scale(x.size() / 32), sum32(x.size() / 32), sum16(x.size() / 16);
        std::vector<int32_t> offset32(x.size() / 32), offset16(x.size() / 16);
        k.to_int8(
            x.data(), kTokens * columns,
            {q.data(), scale.data(), offset32.data(), offset16.data(), sum32.data(), sum16.data()});
        const uint8_t* rows[kRows];
        for (int64_t r = 0; r < kRows; ++r) rows[r] = w.data() + r * dtype_bytes(dtype, columns);
        static Int8Panel panel;
        std::vector<uint8_t> chunk(w.size());
        interleave(dtype, rows, columns / dtype_block(dtype).elements, chunk.data());
        k.unpack_int8(dtype, chunk.data(), columns, none, panel);
        std::vector<float> sums(kTokens * kRows);
        k.int8_sums(panel, int8_layout(dtype),
                    {q.data(), scale.data(), offset32.data(), offset16.data(), sum32.data(),
                     sum16.data(), columns},
                    kTokens, columns, 0, none, sums.data());
        return sums;
      };
      const std::vector<float> expected = sums_of(panel::scalar_kernels());
      for (const Kernels* other : others)
        EXPECT_EQ(sums_of(*other), expected)
            << other->name << " " << dtype_name(dtype) << " " << columns;
    }
}

TEST(PanelProduct, GivesTheSameBitsFromPanelsAsFromRows) {
  Rng rng(6);
  constexpr int64_t M = 9, N = 75, K = 768;
  for (const DType dtype : kBlockFormats) {
    const std::vector<float> x = random_floats(rng, M * K);
    const std::vector<uint8_t> w = random_weights(rng, dtype, N * K);
    std::vector<uint8_t> memory(static_cast<size_t>(panel_bytes(dtype, N, K)));
    to_panels(dtype, w.data(), N, K, memory.data());
    std::vector<float> y(M * N);
    const WeightRows part{memory.data(), dtype, N, WeightLayout::panels};
    panel_product({x.data(), DType::f32}, {&part, 1}, nullptr, {y.data(), DType::f32}, M, K);
    EXPECT_EQ(y, product(x, w, dtype, M, N, K)) << dtype_name(dtype);
  }
}

TEST(PanelProduct, WidensPanelsToTheReferencesNumbersInBf16) {
  if (!widens_panels()) GTEST_SKIP() << "no bf16 here";
  Rng rng(7);
  constexpr int64_t kColumns = 768, kStride = 40;
  for (const DType dtype : kBlockFormats) {
    const std::vector<uint8_t> w = random_weights(rng, dtype, 2 * kRows * kColumns);
    std::vector<uint8_t> memory(static_cast<size_t>(panel_bytes(dtype, 2 * kRows, kColumns)));
    to_panels(dtype, w.data(), 2 * kRows, kColumns, memory.data());
    std::vector<bf16> got(kColumns * kStride);
    widen_panel(dtype, memory.data(), 1, kColumns, got.data(), kStride);
    const std::vector<float> wide = widened(dtype, w, 2 * kRows, kColumns);
    // Of NF4 the reference's int8 has levels that are rounded to 127 parts of the largest.
    const double part = dtype == DType::nf4 ? 0.5 / 127 * 2 : 0;
    for (int64_t c = 0; c < kColumns; ++c)
      for (int64_t r = 0; r < kRows; ++r) {
        const double want = wide[static_cast<size_t>((kRows + r) * kColumns + c)];
        ASSERT_NEAR(static_cast<float>(got[static_cast<size_t>(c * kStride + r)]), want,
                    std::fabs(want) / 256 + part + 1e-30)
            << dtype_name(dtype) << " row " << r << " column " << c;
      }
  }
}

TEST(PanelProduct, TakesPartsOfSeveralFormatsAndABias) {
  Rng rng(4);
  constexpr int64_t M = 3, K = 256;
  const std::vector<float> x = random_floats(rng, M * K), bias = random_floats(rng, 75);
  const std::vector<uint8_t> a = random_weights(rng, DType::q4_k, 40 * K),
                             b = random_weights(rng, DType::q6_k, 35 * K);
  const WeightRows parts[] = {{a.data(), DType::q4_k, 40}, {b.data(), DType::q6_k, 35}};
  std::vector<float> y(M * 75);
  panel_product({x.data(), DType::f32}, parts, bias.data(), {y.data(), DType::f32}, M, K);
  const std::vector<float> ya = product(x, a, DType::q4_k, M, 40, K),
                           yb = product(x, b, DType::q6_k, M, 35, K);
  for (size_t m = 0; m < M; ++m)
    for (size_t n = 0; n < 75; ++n)
      EXPECT_EQ(y[m * 75 + n], (n < 40 ? ya[m * 40 + n] : yb[m * 35 + n - 40]) + bias[n]);
}

TEST(PanelProduct, TakesOddWidthsOfDenseWeights) {
  Rng rng(5);
  constexpr int64_t M = 2, N = 33, K = 301;
  for (const DType dtype : {DType::f32, DType::f16, DType::bf16}) {
    const std::vector<float> x = random_floats(rng, M * K);
    const std::vector<uint8_t> w = random_weights(rng, dtype, N * K);
    const std::vector<float> wide = widened(dtype, w, N, K), y = product(x, w, dtype, M, N, K);
    for (int64_t i = 0; i < M * N; ++i) {
      double sum = 0;
      for (int64_t k = 0; k < K; ++k)
        sum += double{x[static_cast<size_t>(i / N * K + k)]} *
               wide[static_cast<size_t>(i % N * K + k)];
      EXPECT_NEAR(y[static_cast<size_t>(i)], sum, 0.3) << dtype_name(dtype) << " " << i;
    }
  }
}

}  // namespace
}  // namespace malssi
