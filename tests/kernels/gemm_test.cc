#include "kernels/gemm.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "base/parallel.h"
#include "base/random.h"

namespace malssi {
namespace {

// Every product of a linear layer, against sums in double.
void check(DType in, DType out, int64_t M, int64_t N, int64_t K, const GemmOptions& options) {
  Rng rng(static_cast<uint64_t>(M * 7 + N * 3 + K));
  const auto draw = [&](int64_t n, DType dtype, std::vector<float>& wide,
                        std::vector<bf16>& narrow) {
    for (int64_t i = 0; i < n; ++i) {
      narrow.emplace_back(static_cast<float>(rng.normal()));
      wide.push_back(static_cast<float>(narrow.back()));
    }
    return Buffer{
        dtype == DType::f32 ? static_cast<void*>(wide.data()) : static_cast<void*>(narrow.data()),
        dtype};
  };
  std::vector<float> a, b, c;
  std::vector<bf16> a16, b16, c16;
  const Buffer ba = draw(M * K, in, a, a16), bb = draw(K * N, in, b, b16),
               bc = draw(M * N, out, c, c16);
  const std::vector<float> before = c;
  gemm(ba, bb, bc, M, N, K, options);
  for (int64_t m = 0; m < M; ++m) {
    for (int64_t n = 0; n < N; ++n) {
      double sum = options.beta * before[static_cast<size_t>(m * N + n)];
      for (int64_t k = 0; k < K; ++k)
        sum += static_cast<double>(
                   a[static_cast<size_t>(options.transpose_a ? k * M + m : m * K + k)]) *
               b[static_cast<size_t>(options.transpose_b ? n * K + k : k * N + n)];
      const auto i = static_cast<size_t>(m * N + n);
      const double got = out == DType::f32 ? c[i] : static_cast<float>(c16[i]);
      ASSERT_NEAR(got, sum, out == DType::f32 ? 1e-3 : 0.02 * (1 + std::abs(sum)));
    }
  }
}

TEST(Gemm, EveryProductOfALinearLayer) {
  for (DType dtype : {DType::f32, DType::bf16}) {
    for (const auto& [M, N, K] :
         {std::array<int64_t, 3>{1, 1, 1}, {5, 33, 17}, {64, 48, 32}, {33, 65, 130}}) {
      check(dtype, dtype, M, N, K, {.transpose_b = true});
      check(dtype, DType::f32, M, N, K, {});
      check(dtype, dtype, M, N, K, {.beta = 1});
      check(dtype, DType::f32, M, N, K, {.transpose_a = true, .beta = 1});
    }
  }
}

TEST(Gemm, LargeGradientsOfWeights) {
  for (const auto& [M, N, K] :
       {std::array<int64_t, 3>{367, 367, 5}, {1, 131101, 2}, {131101, 1, 3}, {200, 700, 65}})
    for (const float beta : {0.0f, 1.0f})
      check(DType::bf16, DType::f32, M, N, K, {.transpose_a = true, .beta = beta});
}

TEST(Gemm, SumsLongerThanOnePacking) {
  check(DType::bf16, DType::f32, 363, 362, 4101, {.transpose_a = true});
}

TEST(Gemm, RunsInsideAParallelLoop) {
  parallel_each(4,
                [](int64_t) { check(DType::f32, DType::f32, 20, 30, 40, {.transpose_b = true}); });
}

}  // namespace
}  // namespace malssi
