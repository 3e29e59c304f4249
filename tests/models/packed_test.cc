// Weights that are packed while they are loaded.
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "base/error.h"
#include "models/model.h"
#include "models/pack_tables.h"

namespace malssi {
namespace {

ModelConfig config_of(const std::string& family, int64_t width) {
  ModelConfig c;
  c.family = family;
  c.vocab = 40;
  c.width = width;
  c.layers = 1;
  c.hidden = 128;
  c.bias = family == "gpt2";
  return c;
}

std::map<std::string, Tensor> weights_of(const ModelConfig& config) {
  std::map<std::string, Tensor> weights;
  const auto model = make_model(config, DType::f32, 3);
  for (const NamedTensor& w : export_weights(*model)) weights[w.name] = w.value;
  return weights;
}

std::vector<float> hidden_of(Model& model) {
  CausalBatch context({0, 5});
  return model.hidden(std::vector<int32_t>{1, 2, 3, 4, 5}, context).to_vector();
}

TEST(PackedWeights, MatricesAreHeldInTheFormatAndTheRestAsItWas) {
  for (const std::string family : {"llama", "gpt2"}) {
    const ModelConfig config = config_of(family, 64);
    auto weights = weights_of(config);
    const auto find = [&](const std::string& name) { return weights[name]; };
    const auto dense = make_model(config, DType::f32, {}),
               packed = make_model(config, DType::f32, {});
    import_weights(*dense, find);
    import_packed_weights(*packed, find, DType::q8_0);
    int64_t matrices = 0;
    packed->visit([&](const Parameter& p) {
      if (p.held == nullptr) {
        EXPECT_FALSE(is_block_format(p.value->dtype())) << p.name;
        return;
      }
      for (const Tensor& part : *p.held) EXPECT_EQ(part.dtype(), DType::q8_0) << p.name;
      ++matrices;
    });
    EXPECT_EQ(matrices, 4);
    const std::vector<float> want = hidden_of(*dense), got = hidden_of(*packed);
    double error = 0, norm = 0;
    for (size_t i = 0; i < want.size(); ++i) {
      error += std::pow(got[i] - want[i], 2);
      norm += std::pow(want[i], 2);
    }
    EXPECT_LT(std::sqrt(error / norm), 0.02) << family;
    EXPECT_GT(error, 0);
  }
}

TEST(PackedWeights, RowsThatAreNoWholeBlocksAndNumbersThatAreNoneAreErrors) {
  const ModelConfig config = config_of("llama", 96);
  auto weights = weights_of(config);
  const auto error = [&](DType format) -> std::string {
    const auto model = make_model(config, DType::f32, {});
    try {
      import_packed_weights(
          *model, [&](const std::string& name) { return weights[name]; }, format);
    } catch (const Error& e) {
      return e.what();
    }
    return "";
  };
  EXPECT_NE(error(DType::nf4).find("q_proj.weight\": rows of 96"), std::string::npos);
  EXPECT_EQ(error(DType::q8_0), "");
  weights["model.layers.0.self_attn.k_proj.weight"].f32()[5] = NAN;
  EXPECT_NE(error(DType::q8_0).find("k_proj.weight\": a weight nan"), std::string::npos);
}

TEST(PackedWeights, TablesAreHeldOnceWhetherTheyAreTiedOrNot) {
  for (const bool tied : {true, false}) {
    ModelConfig config = config_of("llama", 64);
    config.tied = tied;
    auto weights = weights_of(config);
    const auto find = [&](const std::string& name) { return weights[name]; };
    const auto dense = make_model(config, DType::f32, {}),
               packed = make_model(config, DType::f32, {});
    import_packed_weights(*dense, find, DType::q8_0);
    import_packed_weights(*packed, find, DType::q8_0);
    pack_tables(*packed, DType::q8_0);
    int64_t tables = 0;
    packed->visit([&](const Parameter& p) {
      if (p.kind != ParameterKind::embedding) return;
      EXPECT_EQ(p.value->dtype(), DType::q8_0) << p.name;
      ++tables;
      if (tied) {
        EXPECT_EQ(packed->head().data(), p.value->data());
      }
    });
    EXPECT_EQ(tables, tied ? 1 : 2);
    const auto logits = [](Model& model) {
      CausalBatch context({0, 5});
      return model.logits(model.hidden(std::vector<int32_t>{1, 39, 3, 4, 0}, context)).to_vector();
    };
    const std::vector<float> want = logits(*dense), got = logits(*packed);
    double error = 0, norm = 0;
    for (size_t i = 0; i < want.size(); ++i) {
      error += std::pow(got[i] - want[i], 2);
      norm += std::pow(want[i], 2);
    }
    EXPECT_LT(std::sqrt(error / norm), 0.02);
    EXPECT_GT(error, 0);
  }
}

}  // namespace
}  // namespace malssi
