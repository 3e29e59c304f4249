// Gradients through weights that stay quantised.
#include "ops/frozen.h"

#include <gtest/gtest.h>

#include <cmath>

#include "kernels/gemm.h"
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

// Products round their inputs to int8, gradients do not know: they are near those of the widened weights.
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

}  // namespace
}  // namespace malssi
