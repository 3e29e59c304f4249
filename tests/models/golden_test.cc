// Logits, loss and gradients against PyTorch's (golden.py writes golden.json).
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "base/json.h"
#include "models/model.h"
#include "models/weight_formula.h"
#include "ops/loss.h"
#include "tensor/tape.h"

namespace malssi {
namespace {

ModelConfig config_of(const Json& json) {
  ModelConfig c;
  c.family = json["family"];
  c.vocab = json["vocab"];
  c.width = json["width"];
  c.layers = json["layers"];
  c.heads = json["heads"];
  c.kv_heads = json["kv_heads"];
  c.hidden = json["hidden"];
  c.context = json["context"];
  c.tied = json["tied"];
  c.bias = json["bias"];
  return c;
}

// Published names with gradients in the published layout.
std::map<std::string, Tensor> gradients_of(Model& model) {
  std::map<std::string, Tensor> gradients;
  model.visit([&](const Parameter& p) {
    for (const WeightPart& part : p.parts) {
      const Tensor rows = p.value->grad().rows(part.begin, part.end);
      Tensor g = rows;
      if (part.transposed) {
        g = Tensor::empty({rows.dim(1), rows.dim(0)});
        for (int64_t r = 0; r < rows.dim(0); ++r)
          for (int64_t c = 0; c < rows.dim(1); ++c)
            g.f32()[c * rows.dim(0) + r] = rows.f32()[r * rows.dim(1) + c];
      }
      gradients[part.name] = g;
    }
  });
  return gradients;
}

class Golden : public testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Families, Golden, testing::Values(0, 1));

TEST_P(Golden, LogitsLossAndGradientsAreThoseOfPyTorch) {
  const Json golden = load_json(std::string(MALSSI_SOURCE_DIR) + "/tests/models/golden.json");
  const Json& want = golden["models"][static_cast<size_t>(GetParam())];
  const auto model = make_model(config_of(want["config"]), DType::f32, 1);
  fill_by_formula(*model);

  const auto ids = golden["ids"].get<std::vector<int32_t>>();
  const auto targets = golden["targets"].get<std::vector<int32_t>>();
  CausalBatch batch(golden["starts"].get<std::vector<int32_t>>());
  const auto logits = want["logits"].get<std::vector<double>>();
  const std::vector<float> got = model->logits(model->hidden(ids, batch)).to_vector();
  ASSERT_EQ(got.size(), logits.size());
  for (size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], logits[i], 2e-5);

  Tape tape;
  const std::vector<float> weights(ids.size(), 1);
  const Tensor loss = lm_loss(model->hidden(ids, batch), model->head(), targets, weights, 0.1f);
  EXPECT_NEAR(loss.f32()[0], want["loss"].get<double>(), 1e-5);
  tape.backward(loss);
  const auto gradients = gradients_of(*model);
  ASSERT_EQ(gradients.size(), want["gradient_norms"].size());
  for (const auto& [name, gradient] : gradients) {
    double squares = 0;
    for (float g : gradient.to_vector()) squares += static_cast<double>(g) * g;
    const double norm = want["gradient_norms"][name];
    EXPECT_NEAR(std::sqrt(squares), norm, 1e-4 * norm + 1e-6) << name;
    for (size_t i = 0; i < 3; ++i)
      EXPECT_NEAR(gradient.f32()[i], want["gradients"][name][i].get<double>(), 1e-4 * norm + 1e-6)
          << name;
  }
}

TEST(Model, ComesBackFromItsHuggingFaceConfig) {
  for (const char* family : {"gpt2", "llama"}) {
    ModelConfig c;
    c.family = family;
    c.vocab = 50;
    c.width = 32;
    c.heads = 4;
    c.layers = 2;
    c.context = 64;
    const auto model = make_model(c, DType::f32, 1);
    const ModelConfig back = config_from_hf(model->hf_config(), "config.json");
    EXPECT_EQ(back.hidden, model->config().hidden);
    EXPECT_EQ(back.kv_heads, 4);
    EXPECT_EQ(back.tied, model->config().tied);
    EXPECT_EQ(back.bias, model->config().bias);
    EXPECT_EQ(make_model(back, DType::f32, 2)->parameter_count(), model->parameter_count());
  }
}

TEST(Model, RefusesImpossibleShapesAndUnknownFamilies) {
  ModelConfig c;
  c.vocab = 10;
  c.width = 30;
  c.heads = 4;
  EXPECT_THROW(checked(c), Error);
  c.width = 32;
  c.kv_heads = 3;
  EXPECT_THROW(checked(c), Error);
  c.kv_heads = 0;
  c.family = "nonesuch";
  EXPECT_THROW(checked(c), Error);
  EXPECT_THROW(config_from_hf(Json{{"model_type", "t5"}}, "config.json"), Error);
}

TEST(Model, StartsAtTheLogarithmOfTheVocabulary) {
  ModelConfig c;
  c.vocab = 500;
  c.width = 64;
  const auto model = make_model(c, DType::f32, 1);
  std::vector<int32_t> ids, targets;
  for (int32_t i = 0; i < 256; ++i) ids.push_back(i * 37 % 500), targets.push_back(i * 91 % 500);
  CausalBatch batch({0, 256});
  const std::vector<float> weights(256, 1);
  const Tensor loss =
      lm_loss(model->hidden(ids, batch), model->head(), targets, weights, 1.0f / 256);
  EXPECT_NEAR(loss.f32()[0] / std::log(500.0), 1, 0.01);
}

}  // namespace
}  // namespace malssi
