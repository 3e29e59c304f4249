#include "train/pretrain/language.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "train/runs.h"

namespace malssi {
namespace {

constexpr int64_t kVocab = 50;

TokenShards random_shards() {
  Rng rng(3);
  std::vector<int32_t> ids(2000);
  for (auto& id : ids) id = static_cast<int32_t>(rng.below(kVocab));
  return TokenShards::in_memory({ids}, kVocab);
}

ModelConfig little_model(const std::string& family, double dropout = 0) {
  ModelConfig config;
  config.family = family;
  config.vocab = kVocab;
  config.width = 32;
  config.layers = 2;
  config.heads = 2;
  config.context = 16;
  config.dropout = dropout;
  return config;
}

std::vector<float> gradients(Model& model) {
  std::vector<float> all;
  model.visit([&](const Parameter& parameter) {
    const std::vector<float> part = parameter.value->grad().to_vector();
    all.insert(all.end(), part.begin(), part.end());
    parameter.value->clear_grad();
  });
  return all;
}

// The loss and gradient of step 0 when a step of 8 rows is computed in pieces of `rows`.
std::pair<double, std::vector<float>> first_step(int64_t rows, double dropout = 0) {
  const TokenShards shards = random_shards();
  PackedBatches batches(shards, {.context = 16, .rows = rows});
  const auto model = make_model(little_model("llama", dropout), DType::f32, 1);
  LanguageObjective objective(*model, batches, nullptr, {.batches_per_step = 8 / rows});
  const auto loss = objective.accumulate(0);
  EXPECT_EQ(loss->tokens, 8 * 16);
  return {loss->loss, gradients(*model)};
}

TEST(LanguageObjective, BeginsAtTheLossOfAModelThatKnowsNothing) {
  const TokenShards shards = random_shards();
  for (const std::string family : {"gpt2", "llama"}) {
    PackedBatches batches(shards, {.context = 16, .rows = 8});
    const auto model = make_model(little_model(family), DType::f32, 1);
    LanguageObjective objective(*model, batches, nullptr, {});
    EXPECT_NEAR(objective.accumulate(0)->loss / std::log(double(kVocab)), 1, 0.01) << family;
  }
}

TEST(LanguageObjective, EightPiecesOfOneRowGiveTheGradientOfOnePieceOfEight) {
  const auto [loss, gradient] = first_step(8);
  const auto [pieces_loss, pieces_gradient] = first_step(1);
  EXPECT_NEAR(loss, pieces_loss, 1e-6);
  ASSERT_EQ(gradient.size(), pieces_gradient.size());
  double difference = 0, norm = 0;
  for (size_t i = 0; i < gradient.size(); ++i) {
    difference += std::pow(gradient[i] - pieces_gradient[i], 2);
    norm += std::pow(gradient[i], 2);
  }
  EXPECT_LT(std::sqrt(difference / norm), 1e-5);
}

// Hands out batches whose number of scored tokens differs.
struct Uneven : BatchSource {
  int64_t position = 0;
  Batch next() override {
    const int64_t scored = position++ % 2 == 0 ? 1 : 4;
    Batch batch{.ids = {1, 2, 3, 4}, .targets = {2, 3, 4, 5}, .weights = {}, .starts = {0, 4}};
    for (int64_t i = 0; i < 4; ++i) batch.weights.push_back(i < scored ? 1.f : 0.f);
    return batch;
  }
  double epochs() const override { return 0; }
  int64_t batches_per_epoch() const override { return 2; }
  Json state() const override { return position; }
  void restore(const Json& state) override { position = state.get<int64_t>(); }
};

TEST(LanguageObjective, TheLossIsTheMeanOverTheScoredTokensOfAllPieces) {
  Uneven source;
  const auto model = make_model(little_model("llama"), DType::f32, 1);
  LanguageObjective objective(*model, source, nullptr, {.batches_per_step = 2});
  const double loss = objective.accumulate(0)->loss;
  source.restore(0);
  const Batch one = source.next(), four = source.next();
  EXPECT_NEAR(loss, (summed_loss(*model, one) + summed_loss(*model, four)) / 5, 1e-6);
}

TEST(LanguageObjective, AStopBetweenPiecesLeavesThePositionAlone) {
  Uneven source;
  const auto model = make_model(little_model("llama"), DType::f32, 1);
  LanguageObjective objective(*model, source, nullptr,
                              {.batches_per_step = 4, .stop_requested = [] { return true; }});
  EXPECT_FALSE(objective.accumulate(0));
  EXPECT_EQ(source.position, 0);
}

TEST(LanguageObjective, ATrialLeavesNoGradientAndNoTraceInTheData) {
  Uneven source;
  const auto model = make_model(little_model("llama"), DType::f32, 1);
  LanguageObjective objective(*model, source, nullptr, {.batches_per_step = 2});
  EXPECT_GT(objective.trial(), 0);
  EXPECT_EQ(source.position, 0);
  model->visit([](const Parameter& parameter) { EXPECT_FALSE(parameter.value->grad()); });
}

TEST(LanguageObjective, DropoutIsOfTheStepAndOffInValidation) {
  const auto dropped = first_step(8, 0.3), again = first_step(8, 0.3), whole = first_step(8);
  EXPECT_EQ(dropped.second, again.second);
  EXPECT_NE(dropped.first, whole.first);

  const TokenShards shards = random_shards();
  PackedBatches batches(shards, {.context = 16, .rows = 8});
  const EvaluationBatches held_out(shards, {.context = 16, .rows = 4, .max_rows = 10});
  const auto model = make_model(little_model("llama", 0.3), DType::f32, 1);
  LanguageObjective objective(*model, batches, &held_out, {});
  const auto first = objective.validate().loss;
  objective.accumulate(0);
  gradients(*model);
  ASSERT_TRUE(first);
  EXPECT_EQ(objective.validate().loss, first);
}

TEST(RowsPerPiece, DivideTheRowsAndStayBelowTheTokensAskedFor) {
  EXPECT_EQ(rows_per_piece(64, 256, 2048), 8);
  EXPECT_EQ(rows_per_piece(12, 64, 5 * 64), 4);
  EXPECT_EQ(rows_per_piece(12, 64, 1 << 20), 12);
  EXPECT_EQ(rows_per_piece(12, 64, 10), 1);
  EXPECT_EQ(rows_per_piece(7, 100, 350), 1);
  EXPECT_EQ(rows_per_piece(1, 100, 0), 1);
}

}  // namespace
}  // namespace malssi
