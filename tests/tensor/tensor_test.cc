#include "tensor/tensor.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "tensor/pool.h"
#include "tensor/tape.h"

namespace malssi {
namespace {

// y = factor x, elementwise: an operation small enough to see the tape at work.
Tensor scaled(const Tensor& x, float factor) {
  Tensor y = x.clone();
  for (int64_t i = 0; i < y.size(); ++i) y.f32()[i] *= factor;
  y.set_slot(nullptr);
  record("scaled", {x}, y, [factor](const Tensor& dy, Grads& grads) {
    const auto [dx, beta] = grads.into(0);
    if (!dx) return;
    for (int64_t i = 0; i < dx.size(); ++i)
      dx.f32()[i] = beta * (beta == 0 ? 0 : dx.f32()[i]) + factor * dy.f32()[i];
  });
  return y;
}

TEST(Shape, CountsAndPrints) {
  const Shape shape{2, 3, 4};
  EXPECT_EQ(shape.size(), 24);
  EXPECT_EQ(shape[-1], 4);
  EXPECT_EQ(concat(shape), "[2, 3, 4]");
  EXPECT_EQ(Shape{}.size(), 1);
  EXPECT_EQ((Shape{0, 5}).size(), 0);
}

TEST(Shape, RefusesWhatCannotBe) {
  EXPECT_THROW((Shape{-1}), Error);
  EXPECT_THROW((Shape{1, 1, 1, 1, 1}), Error);
  EXPECT_THROW((Shape{int64_t{1} << 40, int64_t{1} << 40}).size(), Error);
}

TEST(Tensor, ViewsAndRowsShareTheirBlock) {
  const Tensor t = Tensor::zeros({4, 3});
  t.view({12}).f32()[5] = 7;
  EXPECT_EQ(t.rows(1, 2).to_vector(), (std::vector<float>{0, 0, 7}));
  EXPECT_EQ(t.clone().to_vector(), t.to_vector());
  EXPECT_THROW(t.view({5}), Error);
  EXPECT_THROW(t.rows(3, 5), Error);
}

TEST(Tensor, KeepsWhatBfloat16CanHold) {
  const std::vector<float> exact{1, -2, 0.5f, 256, -0.0078125f};
  const Tensor t = Tensor::from(exact, {5});
  EXPECT_EQ(t.to(DType::bf16).to_vector(), exact);
  EXPECT_EQ(static_cast<float>(bf16(1.00390625f)), 1.0f);  // half way: to the even neighbour
  EXPECT_TRUE(std::isnan(static_cast<float>(bf16(std::numeric_limits<float>::quiet_NaN()))));
}

TEST(Half, EveryValueSurvivesTheWayToFloatAndBack) {
  for (uint32_t bits = 0; bits < 65536; ++bits) {
    const auto half = static_cast<uint16_t>(bits);
    const float value = half_to_float(half);
    if (std::isnan(value)) continue;
    ASSERT_EQ(float_to_half(value), half) << bits;
  }
  EXPECT_EQ(float_to_half(1e6f), 0x7c00);
  EXPECT_EQ(float_to_half(1.0f + 1.0f / 2048), 0x3c00);  // half way: to even
}

TEST(Pool, GivesABlockBackToTheNextOfItsSize) {
  void* first = pool_allocate(100000);
  pool_free(first, 100000);
  const int64_t reserved = pool_use().reserved;
  void* second = pool_allocate(99000);
  EXPECT_EQ(first, second);
  EXPECT_EQ(pool_use().reserved, reserved);
  pool_free(second, 99000);
}

TEST(Pool, EverySizeFitsItsBlock) {
  for (int64_t bytes = 0; bytes < 5000; bytes += 7) {
    void* block = pool_allocate(bytes);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(block) % 64, 0u);
    std::fill_n(static_cast<char*>(block), bytes, '\x5a');  // the sanitizer build sees an overrun
    pool_free(block, bytes);
  }
}

TEST(Tape, ASteadyStepAsksTheSystemForNothing) {
  const Tensor x = Tensor::full({1}, 3).want_grad();
  const auto step = [&] {
    Tape tape;
    Tensor y = x;
    for (int i = 0; i < 50; ++i) y = scaled(y, 1.01f);
    tape.backward(y);
  };
  step();
  step();
  const int64_t reserved = pool_use().reserved;
  for (int i = 0; i < 20; ++i) step();
  EXPECT_EQ(pool_use().reserved, reserved);
}

TEST(Tape, GradientsOfAParameterGatherUntilTheyAreCleared) {
  const Tensor x = Tensor::full({1}, 3).want_grad();
  for (int i = 1; i <= 3; ++i) {
    Tape tape;
    tape.backward(scaled(x, 2));
    EXPECT_EQ(x.grad().f32()[0], 2.0f * static_cast<float>(i));
  }
  x.clear_grad();
  EXPECT_FALSE(x.grad().defined());
  Tape tape;
  tape.backward(scaled(x, 5));
  EXPECT_EQ(x.grad().f32()[0], 5);
}

TEST(Tape, RecordsNothingWithoutATapeOrAWantedGradient) {
  const Tensor plain = Tensor::full({1}, 3);
  const Tensor wanting = Tensor::full({1}, 3).want_grad();
  EXPECT_FALSE(scaled(wanting, 2).wants_grad());
  Tape tape;
  EXPECT_FALSE(scaled(plain, 2).wants_grad());
  {
    NoTape pause;
    EXPECT_FALSE(scaled(wanting, 2).wants_grad());
  }
  EXPECT_EQ(tape.size(), 0);
  EXPECT_TRUE(scaled(wanting, 2).wants_grad());
  EXPECT_EQ(tape.size(), 1);
  EXPECT_THROW(tape.backward(plain), Error);
}

}  // namespace
}  // namespace malssi
