#include <gtest/gtest.h>

#include <vector>

#include "ops/activation.h"
#include "ops/attention.h"
#include "ops/embedding.h"
#include "ops/gradients.h"
#include "ops/linear.h"
#include "ops/loss.h"
#include "ops/norm.h"
#include "ops/residual.h"
#include "ops/rope.h"

namespace malssi {
namespace {

// Any tensor [N, D] becomes one number, by a fixed output layer and targets.
Tensor to_loss(const Tensor& h) {
  const int64_t N = h.dim(0);
  std::vector<int32_t> targets;
  std::vector<float> weights;
  for (int32_t n = 0; n < N; ++n)
    targets.push_back(n % 5), weights.push_back(1.0f + 0.1f * static_cast<float>(n % 3));
  return lm_loss(h, noise({7, h.dim(1)}, 77), targets, weights, 0.5f);
}

Tensor wanting(Shape shape, uint64_t seed, float scale = 1) {
  return noise(shape, seed, scale).want_grad();
}

TEST(Linear, GradientMatchesFiniteDifferences) {
  const Tensor x = wanting({9, 12}, 1), w = wanting({6, 12}, 2, 0.3f), b = wanting({6}, 3);
  expect_gradients([&] { return to_loss(linear(x, w, {.bias = b, .out = {}})); },
                   {{"x", x}, {"w", w}, {"b", b}});
}

TEST(Linear, NamesBothShapesWhenTheyDiffer) {
  try {
    linear(noise({2, 3}, 1), noise({4, 5}, 2));
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "linear: x [2, 3] does not fit weight [4, 5]: last axes differ");
  }
}

TEST(Linear, FewRowsGiveWhatManyRowsGive) {
  const Tensor x = noise({20, 33}, 1), w = noise({17, 33}, 2);
  const std::vector<float> all = linear(x, w).to_vector(),
                           few = linear(x.rows(3, 6), w).to_vector();
  for (size_t i = 0; i < few.size(); ++i) EXPECT_NEAR(few[i], all[3 * 17 + i], 1e-4);
}

TEST(RmsNorm, GradientMatchesFiniteDifferences) {
  const Tensor x = wanting({5, 8}, 1), w = wanting({8}, 2);
  expect_gradients([&] { return to_loss(rms_norm(x, w, 1e-5f)); }, {{"x", x}, {"w", w}});
}

TEST(LayerNorm, GradientMatchesFiniteDifferences) {
  const Tensor x = wanting({5, 8}, 1), w = wanting({8}, 2), b = wanting({8}, 3);
  expect_gradients([&] { return to_loss(layer_norm(x, w, b, 1e-5f)); },
                   {{"x", x}, {"w", w}, {"b", b}});
  expect_gradients([&] { return to_loss(layer_norm(x, w, Tensor(), 1e-5f)); },
                   {{"x", x}, {"w", w}});
}

TEST(Swiglu, GradientMatchesFiniteDifferences) {
  const Tensor x = wanting({5, 12}, 1);
  expect_gradients([&] { return to_loss(swiglu(x)); }, {{"x", x}});
}

TEST(Geglu, GradientMatchesFiniteDifferences) {
  const Tensor x = wanting({5, 12}, 1);
  expect_gradients([&] { return to_loss(geglu(x)); }, {{"x", x}});
}

TEST(Relu, GradientMatchesFiniteDifferences) {
  const Tensor x = Tensor::from(std::vector<float>{-1, 0.5f, 2, -0.3f, 1, 3}, {2, 3}).want_grad();
  expect_gradients([&] { return to_loss(relu(x)); }, {{"x", x}});
}

TEST(Scaled, GradientMatchesFiniteDifferences) {
  const Tensor x = wanting({5, 12}, 1);
  expect_gradients([&] { return to_loss(scaled(x, 1.7f)); }, {{"x", x}});
}

TEST(HeadNorm, GradientMatchesFiniteDifferences) {
  const Tensor qkv = wanting({5, (3 + 2 * 1) * 6}, 1), q = wanting({6}, 2), k = wanting({6}, 3);
  expect_gradients([&] { return to_loss(head_norm(qkv, q, k, 3, 1, 1e-5f)); },
                   {{"qkv", qkv}, {"q", q}, {"k", k}});
}

TEST(Gelu, GradientMatchesFiniteDifferences) {
  const Tensor x = wanting({5, 12}, 1);
  for (GeluKind kind : {GeluKind::tanh, GeluKind::exact})
    expect_gradients([&] { return to_loss(gelu(x, kind)); }, {{"x", x}});
}

TEST(Embedding, GradientMatchesFiniteDifferences) {
  const Tensor table = wanting({6, 8}, 1), places = wanting({4, 8}, 2);
  const std::vector<int32_t> ids{1, 5, 1, 0}, positions{0, 1, 2, 3};
  expect_gradients([&] { return to_loss(embedding(table, ids, places, positions)); },
                   {{"table", table}, {"places", places}});
}

TEST(Embedding, NamesAnIdOutsideTheTable) {
  const std::vector<int32_t> ids{6};
  EXPECT_THROW(embedding(noise({6, 8}, 1), ids), Error);
}

TEST(Residual, GradientMatchesFiniteDifferencesWithDropout) {
  const Tensor x = wanting({6, 8}, 1), delta = wanting({6, 8}, 2);
  expect_gradients(
      [&] {
        return to_loss(residual_add(x, delta, {0.3f, 9}));
      },
      {{"x", x}, {"delta", delta}});
  expect_gradients([&] { return to_loss(dropout(x, {0.3f, 9})); }, {{"x", x}});
}

TEST(Residual, AStreamReadTwiceGathersBothGradients) {
  const Tensor x = wanting({6, 8}, 1), w = wanting({8}, 2);
  expect_gradients(
      [&] {
        const Tensor y = residual_add(x, rms_norm(x, w, 1e-5f));
        return to_loss(residual_add(y, rms_norm(y, w, 1e-5f)));
      },
      {{"x", x}, {"w", w}});
}

TEST(Attention, GradientMatchesFiniteDifferences) {
  const std::vector<int32_t> starts{0, 3, 10};
  const Tensor qkv = wanting({10, (4 + 2 * 2) * 6}, 1);
  expect_gradients([&] { return to_loss(attention(qkv, starts, {4, 2, 6})); }, {{"qkv", qkv}});
  expect_gradients(
      [&] {
        return to_loss(attention(qkv, starts, {4, 2, 6}, {0.3f, 4}));
      },
      {{"qkv", qkv}});
}

TEST(Attention, GradientMatchesFiniteDifferencesWithWindowsCapsAndBothDirections) {
  const std::vector<int32_t> starts{0, 3, 10};
  const Tensor qkv = wanting({10, (4 + 2 * 2) * 6}, 1);
  for (const AttentionOptions& options :
       {AttentionOptions{.window = 2}, AttentionOptions{.softcap = 1.5f},
        AttentionOptions{.mask = AttentionMask::whole},
        AttentionOptions{.window = 3, .softcap = 2}})
    expect_gradients(
        [&] {
          return to_loss(attention(qkv, starts, {4, 2, 6}, options));
        },
        {{"qkv", qkv}});
}

TEST(Attention, SeesNothingOfOtherSequencesNorOfTheFuture) {
  const std::vector<int32_t> starts{0, 4, 9};
  const AttentionHeads heads{2, 2, 8};
  const Tensor qkv = noise({9, 48}, 1);
  const std::vector<float> before = attention(qkv, starts, heads).to_vector();
  for (int64_t i = 6 * 48; i < 7 * 48; ++i)
    qkv.f32()[i] += 3;  // token 6 changes: only 6, 7 and 8 may
  const std::vector<float> after = attention(qkv, starts, heads).to_vector();
  for (size_t i = 0; i < 6 * 16; ++i) EXPECT_EQ(before[i], after[i]);
  EXPECT_NE(before[6 * 16], after[6 * 16]);
  EXPECT_NE(before[8 * 16], after[8 * 16]);
}

TEST(Rope, GradientMatchesFiniteDifferences) {
  const RopeTable table(6, 10000);
  const std::vector<int32_t> positions{0, 1, 2, 5};
  const Tensor x = wanting({4, 18}, 1);
  const Tensor ones = Tensor::full({18}, 1);
  // The norm copies x first, since rope works in place.
  expect_gradients(
      [&] { return to_loss(rope_in_place(rms_norm(x, ones, 1e-5f), positions, table, 2)); },
      {{"x", x}});
}

TEST(LmLoss, GradientMatchesFiniteDifferences) {
  const Tensor h = wanting({9, 8}, 1), w = wanting({11, 8}, 2);
  const std::vector<int32_t> targets{0, 1, -1, 10, 4, 4, 2, 3, 9};
  const std::vector<float> weights{1, 1, 1, 0.5f, 0, 1, 1, 2, 1};
  expect_gradients([&] { return lm_loss(h, w, targets, weights, 0.125f); }, {{"h", h}, {"w", w}});
}

TEST(LmLoss, GradientMatchesFiniteDifferencesUnderASoftCap) {
  const Tensor h = wanting({5, 8}, 1), w = wanting({11, 8}, 2);
  const std::vector<int32_t> targets{0, 1, -1, 10, 4};
  const std::vector<float> weights{1, 1, 1, 0.5f, 2};
  expect_gradients([&] { return lm_loss(h, w, targets, weights, 0.125f, nullptr, 2.0f); },
                   {{"h", h}, {"w", w}});
}

TEST(LmLoss, IsTheLogarithmOfTheVocabularyWhereNothingIsKnown) {
  const std::vector<int32_t> targets(64, 3);
  const std::vector<float> weights(64, 1);
  const Tensor loss =
      lm_loss(Tensor::zeros({64, 8}), noise({1000, 8}, 2), targets, weights, 1.0f / 64);
  EXPECT_NEAR(loss.f32()[0], std::log(1000.0), 1e-4);
}

TEST(LmLoss, ChunksDoNotChangeTheSum) {
  const int64_t N = 300, V = 40000;  // more than fits at once
  const Tensor h = wanting({N, 8}, 1), w = wanting({V, 8}, 2);
  std::vector<int32_t> targets;
  for (int32_t n = 0; n < N; ++n) targets.push_back(n * 131 % 40000);
  const std::vector<float> weights(static_cast<size_t>(N), 1);
  std::vector<float> losses;
  Tape tape;
  const Tensor loss = lm_loss(h, w, targets, weights, 1, &losses);
  double sum = 0;
  for (float one : losses) sum += one;
  for (int64_t n = 0; n < N; n += 37) {
    NoTape pause;
    const Tensor one =
        lm_loss(h.rows(n, n + 1), w, std::span(targets).subspan(static_cast<size_t>(n), 1),
                std::span(weights).first(1), 1);
    EXPECT_NEAR(one.f32()[0], losses[static_cast<size_t>(n)], 1e-3);
  }
  EXPECT_NEAR(loss.f32()[0], sum, 1e-2);
}

}  // namespace
}  // namespace malssi
