// Low-rank adapters in a model's layers: which rows they act on, and their gradients.
#include "models/adapter.h"

#include <gtest/gtest.h>

#include <cmath>

#include "models/model.h"
#include "ops/gradients.h"
#include "ops/loss.h"
#include "scratch.h"

namespace malssi {
namespace {

constexpr const char* kQuery = "model.layers.0.self_attn.q_proj";
constexpr const char* kDown = "base_model.model.model.layers.0.mlp.down_proj";

std::unique_ptr<Model> tiny_model(DType dtype = DType::f32) {
  return make_model(
      {.vocab = 11, .width = 8, .layers = 1, .heads = 2, .hidden = 12, .activation = {}}, dtype, 1);
}

Adapter tiny_adapter(uint64_t seed = 5, DType dtype = DType::f32) {
  auto drawn = [&, at = seed](Shape shape) mutable { return noise(shape, at++).to(dtype); };
  const Tensor a = drawn({2, 8}), b = drawn({8, 2}), c = drawn({3, 12}), d = drawn({8, 3});
  return {"tiny", {{kQuery, a, b, 0.5f}, {kDown, c, d, 2}}};
}

std::vector<float> logits_of(Model& model, const AdapterRows& rows) {
  const std::vector<int32_t> ids{1, 2, 3, 4, 5};
  CausalBatch batch({0, 3, 5});
  batch.set_adapters(rows);
  return model.logits(model.hidden(ids, batch)).to_vector();
}

TEST(AdapterMix, IsSortedSummedAndWithoutZeros) {
  EXPECT_EQ(checked_mix({{2, 1}, {0, 0.5f}, {2, 0.25f}, {1, 1}, {1, -1}}, 3),
            (AdapterMix{{0, 0.5f}, {2, 1.25f}}));
  EXPECT_TRUE(contains(error_of([] {
                         checked_mix({{1, 1}}, 1);
                       }),
                       "no adapter 1; the model has 1"));
  EXPECT_TRUE(contains(error_of([] { checked_mix({{0, NAN}}, 1); }), "finite"));
}

TEST(AdapterRows, FollowTheRowsThatAreGathered) {
  AdapterRows rows;
  rows.add(0, 2, {{0, 1}});
  rows.add(2, 1, {});
  rows.add(3, 2, {{0, 2}, {4, 3}});
  const AdapterRows some = rows.gathered(std::vector<int32_t>{1, 2, 4});
  EXPECT_EQ(some.find(0)->rows, (std::vector<int32_t>{0, 2}));
  EXPECT_EQ(some.find(0)->weights, (std::vector<float>{1, 2}));
  EXPECT_EQ(some.find(4)->rows, (std::vector<int32_t>{2}));
  EXPECT_EQ(rows.gathered(std::vector<int32_t>{0, 2}).find(4), nullptr);
  EXPECT_TRUE(AdapterRows(5, {}).empty());
}

TEST(Adapter, ActsOnItsRowsAndLeavesOthersToTheBit) {
  for (const DType dtype : {DType::f32, DType::bf16}) {
    const auto model = tiny_model(dtype);
    const auto plain = logits_of(*model, {});
    EXPECT_EQ(model->attach(tiny_adapter(5, dtype)), 0);
    EXPECT_EQ(model->attach(tiny_adapter(50, dtype)), 1);
    EXPECT_EQ(model->adapters(), 2);
    EXPECT_EQ(logits_of(*model, {}), plain);
    const auto all = logits_of(*model, {5, {{0, 1}}});
    AdapterRows mixed;
    mixed.add(0, 3, {{0, 1}});
    mixed.add(3, 2, {{1, 1}, {0, -0.5f}});
    const auto some = logits_of(*model, mixed);
    const auto first = static_cast<std::ptrdiff_t>(3 * 11);
    EXPECT_TRUE(std::equal(all.begin(), all.begin() + first, some.begin()));
    const auto other = logits_of(*model, {5, {{0, -0.5f}, {1, 1}}});
    EXPECT_TRUE(std::equal(other.begin() + first, other.end(), some.begin() + first));
    for (size_t i = 0; i < plain.size(); ++i) EXPECT_NE(plain[i], all[i]) << i;
  }
}

TEST(Adapter, GradientsMatchFiniteDifferences) {
  const auto model = tiny_model();
  model->visit([](const Parameter& p) {
    for (int64_t i = 0; i < p.value->size(); ++i)
      p.value->f32()[i] *= p.kind == ParameterKind::norm ? 1.0f : 10.0f;
  });
  Adapter adapter = tiny_adapter();
  for (AdapterPart& part : adapter.parts) part.scale *= 0.1f;
  model->attach(adapter);
  std::vector<NamedInput> inputs;
  model->visit([&](const Parameter& p) {
    if (p.low_ranks == nullptr || p.low_ranks->empty()) return;
    inputs.push_back({p.name + " A", p.low_ranks->front().a.want_grad()});
    inputs.push_back({p.name + " B", p.low_ranks->front().b.want_grad()});
  });
  ASSERT_EQ(inputs.size(), 4u);
  const std::vector<int32_t> ids{1, 2, 3, 4, 5}, targets{2, 3, 4, 5, 6};
  const std::vector<float> weights(5, 1);
  expect_gradients(
      [&] {
        CausalBatch batch({0, 3, 5});
        batch.set_adapters({5, {{0, 1}}});
        return lm_loss(model->hidden(ids, batch), model->head(), targets, weights, 0.2f);
      },
      inputs, 1e-2f, 2e-2);
}

TEST(Adapter, ThatDoesNotFitIsRefusedWhole) {
  const auto model = tiny_model();
  const auto refused = [&](const AdapterPart& part, std::string_view word) {
    Adapter adapter = tiny_adapter();
    adapter.parts.push_back(part);
    const std::string message = error_of([&] { model->attach(adapter); });
    EXPECT_TRUE(is_one_line(message) && contains(message, word)) << message;
  };
  const Tensor a = noise({2, 8}, 1), b = noise({8, 2}, 2);
  refused({"model.layers.1.self_attn.q_proj", a, b}, "for another base");
  refused({"lm_head", a, noise({11, 2}, 1)}, "output layers cannot be adapted");
  refused({"model.layers.0.self_attn.k_proj", noise({2, 9}, 1), b}, "[8, 8]");
  refused({"model.layers.0.self_attn.k_proj", a, noise({9, 2}, 1)}, "another base model");
  refused({"model.layers.0.self_attn.k_proj", a, noise({8, 3}, 1)}, "[rank, inputs]");
  refused({"layers.0.self_attn.q_proj", a, b}, "twice");
  EXPECT_EQ(model->adapters(), 0);
  model->visit([](const Parameter& p) { EXPECT_TRUE(!p.low_ranks || p.low_ranks->empty()); });
}

}  // namespace
}  // namespace malssi
