#include "eval/importance.h"

#include <gtest/gtest.h>

#include <cstring>

#include "base/error.h"
#include "base/random.h"
#include "eval/divergence.h"
#include "io/lazy_tensor.h"
#include "models/model.h"

namespace malssi {
namespace {

ModelConfig small_config() {
  ModelConfig config;
  config.vocab = 11;
  config.width = 16;
  config.heads = 2;
  config.kv_heads = 1;
  config.hidden = 24;
  config.layers = 2;
  config.context = 8;
  return config;
}

const std::vector<int32_t> kIds = {1, 5, 2, 9, 10, 0, 3, 3, 7, 4, 6};

TEST(Importance, IsTheMeanSquareOfWhatAWeightMultiplies) {
  const auto model = make_model(small_config(), DType::f32, 3);
  ImportanceCollector collector(*model);
  collector.add(kIds, 8);  // two windows
  EXPECT_EQ(collector.tokens(), 11);
  const auto importance = collector.importance();
  EXPECT_EQ(importance.size(), 2u * 7);
  // The first layer's queries multiply the normalised embedding, whose rows have a mean square of one.
  const std::vector<float>& q = importance.at("model.layers.0.self_attn.q_proj.weight");
  ASSERT_EQ(q.size(), 16u);
  double mean = 0;
  for (const float x : q) mean += x / 16;
  EXPECT_NEAR(mean, 1, 0.05);
  std::vector<double> expected(16);
  for (const int32_t id : kIds) {
    const auto row = model->head().rows(id, id + 1).to_vector();
    double square = 0;
    for (const float x : row) square += double{x} * x / 16;
    for (size_t i = 0; i < 16; ++i) expected[i] += double{row[i]} * row[i] / (square + 1e-5) / 11;
  }
  for (size_t i = 0; i < 16; ++i) EXPECT_NEAR(q[i], expected[i], 1e-4 * (1 + expected[i]));
  EXPECT_EQ(importance.at("model.layers.0.self_attn.v_proj.weight"), q);
  EXPECT_EQ(importance.at("model.layers.1.mlp.down_proj.weight").size(), 24u);
}

TEST(Importance, OfExpertsIsTheirOwnAndOfOnesThatSawNothingTheMean) {
  ModelConfig config = small_config();
  config.family = "mixtral";
  config.layers = 1;
  config.experts = 4;
  config.experts_used = 2;
  config.expert_hidden = 24;
  const auto model = make_model(config, DType::f32, 3);
  ImportanceCollector collector(*model);
  collector.add(kIds, 8);
  Importance published = collector.importance();
  const auto name = [](int64_t expert) {
    return concat("model.layers.0.block_sparse_moe.experts.", expert, ".w2.weight");
  };
  for (int64_t expert = 0; expert < 4; ++expert)
    published[name(expert)].assign(24, static_cast<float>(expert));
  published.erase(name(2));
  const std::vector<float> rows =
      gguf_importance(*model, published).at("blk.0.ffn_down_exps.weight");
  ASSERT_EQ(rows.size(), 4u * 24);
  for (size_t i = 0; i < 24; ++i) {
    EXPECT_EQ(rows[i], 0);
    EXPECT_EQ(rows[24 + i], 1);
    EXPECT_FLOAT_EQ(rows[48 + i], 4.0f / 3);
    EXPECT_EQ(rows[72 + i], 3);
  }
  EXPECT_EQ(gguf_importance(*model, published).at("blk.0.attn_q.weight").size(), 16u);
}

TEST(Importance, OfStackedMatricesWeighsEachMatrixAlone) {
  Rng rng(4);
  std::vector<float> numbers(2 * 3 * 256), importance(2 * 256);
  for (float& x : numbers) x = static_cast<float>(rng.normal());
  for (float& x : importance) x = static_cast<float>(rng.uniform()) + 0.01f;
  const Tensor both = Tensor::from(numbers, {2, 3, 256});
  const Tensor packed = from_f32(both, DType::q4_k, importance, "x");
  for (int64_t i = 0; i < 2; ++i) {
    const Tensor alone =
        from_f32(both.rows(i, i + 1), DType::q4_k,
                 std::span(importance).subspan(static_cast<size_t>(i) * 256, 256), "x");
    EXPECT_EQ(std::memcmp(alone.data(), packed.as<char>() + i * alone.bytes(),
                          static_cast<size_t>(alone.bytes())),
              0);
  }
}

TEST(Divergence, OfAModelFromItselfIsNothing) {
  const auto model = make_model(small_config(), DType::f32, 3);
  const Divergence same = measure_divergence(*model, *model, kIds, 8);
  EXPECT_EQ(same.tokens, 9);  // the first of each window has nothing before it
  EXPECT_EQ(same.same_best, 9);
  EXPECT_NEAR(same.divergence, 0, 1e-12);
  EXPECT_EQ(same.perplexity_original(), same.perplexity_changed());
}

TEST(Divergence, GrowsWithTheChange) {
  const auto model = make_model(small_config(), DType::f32, 3);
  double last = 0;
  for (const float change : {0.05f, 0.2f, 0.8f}) {
    const auto changed = make_model(small_config(), DType::f32, 3);
    changed->visit([&](const Parameter& p) {
      for (int64_t i = 0; i < p.value->size(); i += 3) p.value->f32()[i] += change;
    });
    const Divergence d = measure_divergence(*model, *changed, kIds, 8);
    EXPECT_GT(d.mean(), last);
    EXPECT_GE(d.worst, d.mean());
    last = d.mean();
  }
}

TEST(Divergence, NeedsTheSameVocabulary) {
  ModelConfig other = small_config();
  other.vocab = 12;
  const auto model = make_model(small_config(), DType::f32, 3),
             wide = make_model(other, DType::f32, 3);
  EXPECT_THROW(measure_divergence(*model, *wide, kIds, 8), Error);
}

}  // namespace
}  // namespace malssi
