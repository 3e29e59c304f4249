// Every family against PyTorch (golden_families.py writes golden_families.json), and through its files' descriptions and back.
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "base/json.h"
#include "models/family.h"
#include "models/gguf_names.h"
#include "models/weight_formula.h"
#include "ops/loss.h"
#include "tensor/tape.h"

namespace malssi {
namespace {

const Json& golden() {
  static const Json json =
      load_json(std::string(MALSSI_SOURCE_DIR) + "/tests/models/golden_families.json");
  return json;
}

Json numbers() { return load_json(std::string(MALSSI_SOURCE_DIR) + "/tests/models/golden.json"); }

std::unique_ptr<Model> model_of(const Json& config) {
  auto model = make_model(config_from_hf(config, "config.json"), DType::f32, 1);
  fill_by_formula(*model);
  return model;
}

class Families : public testing::TestWithParam<int> {
 protected:
  const Json& want() const { return golden()[static_cast<size_t>(GetParam())]; }
};
INSTANTIATE_TEST_SUITE_P(All, Families, testing::Range(0, 20), [](const auto& info) {
  const Json& config = golden()[static_cast<size_t>(info.param)]["config"];
  return config["model_type"].get<std::string>() + "_" + std::to_string(info.param);
});

TEST_P(Families, LogitsLossAndGradientsAreThoseOfPyTorch) {
  const auto model = model_of(want()["config"]);
  const Json inputs = numbers();
  const auto ids = inputs["ids"].get<std::vector<int32_t>>();
  const auto targets = inputs["targets"].get<std::vector<int32_t>>();
  CausalBatch batch(inputs["starts"].get<std::vector<int32_t>>());
  const auto last = want()["last_logits"].get<std::vector<double>>();
  const std::vector<float> logits = model->logits(model->hidden(ids, batch)).to_vector();
  for (size_t i = 0; i < last.size(); ++i)
    EXPECT_NEAR(logits[logits.size() - last.size() + i], last[i], 5e-5);

  Tape tape;
  const std::vector<float> weights(ids.size(), 1);
  const Tensor loss = lm_loss(model->hidden(ids, batch), model->head(), targets, weights, 0.1f,
                              nullptr, model->logit_softcap());
  EXPECT_NEAR(loss.f32()[0], want()["loss"].get<double>(), 2e-5);
  tape.backward(loss);
  size_t found = 0;
  model->visit([&](const Parameter& p) {
    for (const WeightPart& part : p.parts) {
      ASSERT_TRUE(want()["gradient_norms"].contains(part.name)) << part.name;
      const double norm = want()["gradient_norms"][part.name];
      double squares = 0;
      if (p.value->grad())
        for (float g : p.value->grad().rows(part.begin, part.end).to_vector())
          squares += static_cast<double>(g) * g;
      EXPECT_NEAR(std::sqrt(squares), norm, 5e-4 * norm + 1e-5) << part.name;
      ++found;
    }
  });
  EXPECT_EQ(found, want()["gradient_norms"].size());
}

TEST_P(Families, LearnInBf16Too) {
  const auto model = make_model(config_from_hf(want()["config"], "config.json"), DType::bf16, 1);
  fill_by_formula(*model);
  const Json inputs = numbers();
  const auto ids = inputs["ids"].get<std::vector<int32_t>>();
  const auto targets = inputs["targets"].get<std::vector<int32_t>>();
  CausalBatch batch(inputs["starts"].get<std::vector<int32_t>>());
  Tape tape;
  const std::vector<float> weights(ids.size(), 1);
  const Tensor loss = lm_loss(model->hidden(ids, batch), model->head(), targets, weights, 0.1f,
                              nullptr, model->logit_softcap());
  EXPECT_NEAR(loss.f32()[0], want()["loss"].get<double>(), 0.05);
  tape.backward(loss);
  double got = 0, expected = 0;
  model->visit([&](const Parameter& p) {
    if (p.value->grad())
      for (float g : p.value->grad().to_vector()) got += static_cast<double>(g) * g;
  });
  for (const auto& [name, norm] : want()["gradient_norms"].items())
    expected += norm.get<double>() * norm.get<double>();
  // Which experts are taken may turn on the rounding.
  EXPECT_NEAR(std::sqrt(got / expected), 1, model->config().experts > 0 ? 0.2 : 0.1);
}

std::vector<float> some_logits(Model& model) {
  const std::vector<int32_t> ids{3, 1, 4, 1, 5, 9, 2, 6};
  CausalBatch batch({0, 8});
  return model.logits(model.hidden(ids, batch)).to_vector();
}

TEST_P(Families, ComeBackFromTheirConfigAndWeights) {
  const auto model = model_of(want()["config"]);
  std::map<std::string, Tensor> weights;
  for (const NamedTensor& t : export_weights(*model)) weights[t.name] = t.value;
  const auto back = make_model(config_from_hf(model->hf_config(), "config.json"), DType::f32, 2);
  import_weights(*back, [&](const std::string& name) { return weights[name]; });
  const std::vector<float> before = some_logits(*model), after = some_logits(*back);
  for (size_t i = 0; i < before.size(); ++i) ASSERT_NEAR(before[i], after[i], 1e-5);
  EXPECT_EQ(back->hf_config(), model->hf_config());
}

// A file's keys and small tensors in memory.
struct KeysInMemory : GgufKeys {
  explicit KeysInMemory(Model& model) {
    gguf_keys(model, [&](std::string key, GgufValue value) {
      values.insert_or_assign(std::move(key), std::move(value));
    });
    for (const NamedTensor& t : gguf_extra_tensors(model)) tensors[t.name] = t.value;
    model.visit([&](const Parameter& p) {
      for (const WeightPart& part : p.parts) tensors.emplace(part.gguf, Tensor());
    });
  }
  const GgufValue* find(std::string_view key) const override {
    const auto found = values.find(std::string(key));
    return found == values.end() ? nullptr : &found->second;
  }
  std::vector<double> numbers(std::string_view name) const override {
    const auto found = tensors.find(std::string(name));
    if (found == tensors.end() || !found->second) return {};
    const std::vector<float> narrow = found->second.to_vector();
    return {narrow.begin(), narrow.end()};
  }
  bool has_tensor(std::string_view name) const override {
    return tensors.contains(std::string(name));
  }
  std::map<std::string, GgufValue> values;
  std::map<std::string, Tensor> tensors;
};

TEST_P(Families, ComeBackFromTheirGgufKeys) {
  const auto model = model_of(want()["config"]);
  const Family& family = family_named(model->config().family);
  if (family.gguf.empty()) {
    EXPECT_THROW(KeysInMemory keys(*model), Error);
    return;
  }
  KeysInMemory keys(*model);
  for (const auto& [name, tensor] : keys.tensors) EXPECT_FALSE(name.empty());
  const auto back = make_model(config_from_gguf(keys, "model.gguf"), DType::f32, 2);
  std::map<std::string, Tensor> weights;
  for (const NamedTensor& t : export_weights(*model)) weights[t.name] = t.value;
  import_weights(*back, [&](const std::string& name) { return weights[name]; });
  const std::vector<float> before = some_logits(*model), after = some_logits(*back);
  for (size_t i = 0; i < before.size(); ++i) ASSERT_NEAR(before[i], after[i], 2e-3);
  // And from GGUF to Hugging Face's description.
  const ModelConfig again = config_from_hf(back->hf_config(), "config.json");
  EXPECT_EQ(again.windows, back->config().windows);
  EXPECT_EQ(again.rope_scaling.divisors(again.head_dim, again.rope_theta),
            back->config().rope_scaling.divisors(again.head_dim, again.rope_theta));
}

TEST(Families, TheLanguagePartOfAGemma3ThatSeesImagesIsRead) {
  const Json json = {{"model_type", "gemma3"},
                     {"eos_token_id", 1},
                     {"text_config",
                      {{"model_type", "gemma3_text"},
                       {"hidden_size", 2560},
                       {"intermediate_size", 10240},
                       {"num_hidden_layers", 34},
                       {"rope_scaling", {{"factor", 8.0}, {"rope_type", "linear"}}},
                       {"sliding_window", 1024}}}};
  const ModelConfig c = config_from_hf(json, "config.json");
  EXPECT_EQ(c.family, "gemma3_text");
  EXPECT_EQ(c.heads, 8);
  EXPECT_EQ(c.head_dim, 256);
  EXPECT_EQ(c.eos_id, 1);
  EXPECT_EQ(c.rope_theta, 1e6);
  EXPECT_EQ(c.windows[4], 1024);
  EXPECT_EQ(c.windows[5], 0);
  EXPECT_TRUE(is_unused_weight(c, "vision_tower.vision_model.embeddings.patch_embedding.weight"));
  EXPECT_FALSE(is_unused_weight(c, "model.embed_tokens.weight"));
}

TEST(Families, AnUnknownArchitectureIsNamedWithTheKnownOnes) {
  try {
    config_from_hf(Json{{"model_type", "t5"}}, "config.json");
    FAIL();
  } catch (const Error& error) {
    const std::string what = error.what();
    EXPECT_TRUE(what.starts_with("config.json: unknown architecture \"t5\"; known are gpt2, llama"))
        << what;
  }
}

TEST(Families, AreRefusedWithNumbersThatCannotBe) {
  const auto broken = [](const char* type, const char* key, const Json& value) {
    for (const Json& model : golden()) {
      if (model["config"]["model_type"] != type) continue;
      Json config = model["config"];
      config[key] = value;
      EXPECT_THROW(config_from_hf(config, "config.json"), Error) << type << " " << key;
      return;
    }
    FAIL() << type;
  };
  broken("gemma2", "query_pre_attn_scalar", 0);
  broken("gemma2", "attn_logit_softcapping", -1);
  broken("gemma2", "layer_types", Json{"sliding_attention"});
  broken("gemma3_text", "layer_types", Json{"chunked_attention", "full_attention"});
  broken("mixtral", "num_experts_per_tok", 9);
  broken("mistral", "sliding_window", -1);
  broken("phi3", "rope_scaling", Json{{"rope_type", "longrope"}});
  broken("llama", "rope_scaling", Json{{"rope_type", "dynamic"}});
  broken("roberta", "pad_token_id", 100);
  broken("qwen3", "hidden_act", "relu");
}

}  // namespace
}  // namespace malssi
