// Gradients through weights that stay quantised.
#include "ops/frozen.h"

#include <gtest/gtest.h>

#include <cmath>
#include <optional>

#include "kernels/gemm.h"
#include "ops/embedding.h"
#include "ops/gradients.h"
#include "ops/linear.h"
#include "ops/loss.h"
#include "quant/formats.h"

namespace malssi {
namespace {

Tensor quantised(DType dtype, Shape shape, uint64_t seed) {
  const Tensor x = noise(shape, seed), blocks = Tensor::empty(shape, dtype);
  pack_rows(quant_format(dtype), x.f32(), nullptr, blocks.data(), shape[0], shape[1]);
  return blocks;
}

// What rounding to the machine's products may cost.
DType compute_dtype() { return has_native_bf16() ? DType::bf16 : DType::f32; }
double tolerance() { return has_native_bf16() ? 1e-2 : 1e-5; }

void expect_near(const Tensor& got, const Tensor& want, double part) {
  double error = 0, norm = 0;
  const auto a = got.to_vector(), b = want.to_vector();
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) {
    error += (a[i] - b[i]) * (a[i] - b[i]);
    norm += b[i] * b[i];
  }
  EXPECT_LT(std::sqrt(error), part * std::sqrt(norm));
}

constexpr DType kFormats[] = {DType::q8_0, DType::q4_0, DType::q4_1,   DType::q5_0,
                              DType::q5_1, DType::q2_k, DType::q3_k,   DType::q4_k,
                              DType::q5_k, DType::q6_k, DType::iq4_nl, DType::nf4};

TEST(Frozen, InputGradientIsThatOfTheWidenedWeight) {
  for (const DType dtype : kFormats) {
    const Tensor w = quantised(dtype, {72, 256}, 1), other = noise({8, 256}, 2).to(DType::bf16);
    const Tensor dy = noise({5, 80}, 3), wide = w.to(DType::f32), bf = other.to(DType::f32);
    const Tensor want = Tensor::zeros({5, 256});
    for (int64_t m = 0; m < 5; ++m)
      for (int64_t n = 0; n < 80; ++n)
        for (int64_t k = 0; k < 256; ++k)
          want.f32()[m * 256 + k] += dy.f32()[m * 80 + n] * (n < 72 ? wide.f32()[n * 256 + k]
                                                                    : bf.f32()[(n - 72) * 256 + k]);
    for (const Tensor& held : {w, w.in_panels()}) {
      SCOPED_TRACE(dtype_name(dtype));
      const Tensor parts[] = {held, other};
      const Tensor dx = Tensor::empty({5, 256}), narrow = Tensor::empty({5, 256}, DType::bf16);
      frozen_input_gradient(dy, parts, {dx, 0});
      expect_near(dx, want, tolerance());
      frozen_input_gradient(dy, parts, {narrow, 0});
      expect_near(narrow, want, 1e-2);
      frozen_input_gradient(dy, parts, {dx, 1});
      for (int64_t i = 0; i < dx.size(); ++i) dx.f32()[i] /= 2;
      expect_near(dx, want, tolerance());
    }
  }
}

TEST(Frozen, LossThroughQuantisedLayersHasTheGradientOfTheWidenedOnes) {
  const Tensor w = quantised(DType::q8_0, {64, 32}, 4), head = quantised(DType::q8_0, {40, 64}, 5);
  const std::vector<int32_t> targets{1, 2, 3, 4, 5, 6};
  const std::vector<float> weights(6, 1);
  Tensor x = noise({6, 32}, 6, 0.2f).want_grad();
  const auto gradient = [&](const Tensor& layer, const Tensor& output) {
    x.clear_grad();
    Tape tape;
    const Tensor parts[] = {layer};
    const Tensor y = layer.dtype() == DType::f32 ? linear(x, layer) : linear(x, parts);
    tape.backward(lm_loss(y, output, targets, weights, 1));
    return x.grad().clone();
  };
  const Tensor want = gradient(w.to(DType::f32), head.to(DType::f32));
  expect_near(gradient(w.in_panels(), head.in_panels()), want, 0.05);
  expect_near(gradient(w, head), want, 0.05);
}

// Larger than a slab: put together from some columns of all rows, or where these are too many, from sums over some rows.
TEST(Frozen, LargeWeightsAreMultipliedInParts) {
  for (const auto& [N, K] : {std::pair{8300, 576}, std::pair{16640, 256}}) {
    const Tensor w = quantised(DType::nf4, {N, K}, 7), wide = w.to(DType::f32);
    const Tensor dy = noise({2, N}, 8), x = noise({2, K}, 9);
    const Tensor dx = Tensor::empty({2, K}), narrow = Tensor::empty({2, K}, DType::bf16),
                 y = Tensor::empty({2, N});
    const Tensor held[] = {w.in_panels()};
    frozen_input_gradient(dy, held, {dx, 0});
    frozen_input_gradient(dy, held, {narrow, 0});
    frozen_product(x, held, y);
    const Tensor want_dx = Tensor::zeros({2, K}), want_y = Tensor::zeros({2, N});
    for (int64_t m = 0; m < 2; ++m)
      for (int64_t n = 0; n < N; ++n)
        for (int64_t k = 0; k < K; ++k) {
          want_dx.f32()[m * K + k] += dy.f32()[m * N + n] * wide.f32()[n * K + k];
          want_y.f32()[m * N + n] += x.f32()[m * K + k] * wide.f32()[n * K + k];
        }
    expect_near(dx, want_dx, tolerance());
    expect_near(narrow, want_dx, 1e-2);
    expect_near(y, want_y, tolerance());
  }
}

// Numbers that bf16 has exactly, before and after a step of 1/16: so the loss is a smooth function of them in any precision.
Tensor coarse(Shape shape, uint64_t seed) {
  const Tensor x = noise(shape, seed);
  for (int64_t i = 0; i < x.size(); ++i) x.f32()[i] = std::round(x.f32()[i] * 8) / 16;
  return x;
}

TEST(Frozen, LossUnderAQuantisedHeadHasTheGradientOfFiniteDifferences) {
  const std::vector<int32_t> targets{3, 39, 0, -1, 17};
  const std::vector<float> weights{1, 1, 0.5, 1, 1};
  for (const DType dtype : {DType::nf4, DType::q8_0, DType::q6_k}) {
    const Tensor head = quantised(dtype, {40, 256}, 10).in_panels();
    Tensor h = coarse({5, 256}, 11).want_grad();
    const auto loss = [&] {
      std::optional<Tape> own;  // what is learned from is not rounded to int8
      if (Tape::current() == nullptr) own.emplace();
      return lm_loss(h, head, targets, weights, 0.25f);
    };
    SCOPED_TRACE(dtype_name(dtype));
    expect_gradients(loss, {{"h", h}}, 1.0f / 16, 3e-2);
  }
}

TEST(Frozen, LossUnderAQuantisedHeadIsThatOfTheWidenedOne) {
  const std::vector<int32_t> targets(300, 5);
  const std::vector<float> weights(300, 1);
  const Tensor head = quantised(DType::nf4, {96, 64}, 12), wide = head.to(compute_dtype());
  Tensor h = coarse({300, 64}, 13).want_grad();
  const auto learn = [&](const Tensor& w, std::vector<float>& losses) {
    h.clear_grad();
    Tape tape;
    tape.backward(lm_loss(h, w, targets, weights, 1, &losses, 20));
    return h.grad().clone();
  };
  std::vector<float> got, want;
  const Tensor gradient = learn(head.in_panels(), got), expected = learn(wide, want);
  for (size_t i = 0; i < want.size(); ++i) EXPECT_NEAR(got[i], want[i], 1e-5 * want[i]);
  expect_near(gradient, expected, 1e-2);
}

TEST(Frozen, RowsAreFoundAmongPanels) {
  const std::vector<int32_t> ids{0, 31, 32, 71, 5, 5};
  for (const DType dtype : kFormats) {
    const Tensor table = quantised(dtype, {72, 512}, 14);
    EXPECT_EQ(embedding(table.in_panels(), ids).to_vector(), embedding(table, ids).to_vector())
        << dtype_name(dtype);
  }
}

}  // namespace
}  // namespace malssi
