#include "infer/embed.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "base/json.h"
#include "io/pooling.h"
#include "models/peer_weights.h"
#include "scratch.h"

namespace malssi {
namespace {

ModelConfig tiny(const std::string& family) {
  ModelConfig config;
  config.family = family;
  config.vocab = 30;
  config.width = 16;
  config.layers = 2;
  config.heads = 2;
  config.context = 12;
  config.bias = family == "bert";
  config.token_types = family == "bert" ? 2 : 0;
  return config;
}

const std::vector<std::vector<int32_t>> kTexts = {{1, 2, 3}, {4, 5, 6, 7, 8}, {9}};

std::vector<float> hidden_of(Model& model, const std::vector<int32_t>& ids) {
  CausalBatch batch({0, static_cast<int32_t>(ids.size())});
  return model.hidden(ids, batch).to_vector();
}

TEST(Embed, TakesTheFirstTheLastOrTheMeanOfEachTextsVectors) {
  for (const char* family : {"bert", "llama"}) {
    const auto model = make_model(tiny(family), DType::f32, 1);
    const Tensor first = embed(*model, kTexts, {.pooling = Pooling::cls}),
                 last = embed(*model, kTexts, {.pooling = Pooling::last}),
                 mean = embed(*model, kTexts, {.pooling = Pooling::mean});
    for (size_t t = 0; t < kTexts.size(); ++t) {
      const std::vector<float> hidden = hidden_of(*model, kTexts[t]);
      const size_t count = kTexts[t].size();
      for (size_t d = 0; d < 16; ++d) {
        double sum = 0;
        for (size_t i = 0; i < count; ++i) sum += hidden[i * 16 + d];
        EXPECT_NEAR(first.f32()[t * 16 + d], hidden[d], 1e-4) << family;
        EXPECT_NEAR(last.f32()[t * 16 + d], hidden[(count - 1) * 16 + d], 1e-4) << family;
        EXPECT_NEAR(mean.f32()[t * 16 + d], sum / static_cast<double>(count), 1e-4) << family;
      }
    }
  }
}

// tests/models/peer_embeddings.py asks it.
TEST(Embed, GivesTheVectorsOfLlamaCpp) {
  Json golden = load_json(std::string(MALSSI_SOURCE_DIR) + "/tests/models/golden_embeddings.json");
  // llama.cpp takes BERT's GELU by its approximation with tanh; the exact one is up to 6e-4 away.
  golden["config"]["hidden_act"] = "gelu_new";
  const auto model = make_model(config_from_hf(golden["config"], "config.json"), DType::f32, 1);
  std::map<std::string, Shape> shapes;
  for (const NamedTensor& t : export_weights(*model)) shapes[t.name] = t.value.shape();
  import_weights(*model, [&](const std::string& name) { return hashed(name, shapes.at(name)); });
  const auto ids = golden["ids"].get<std::vector<int32_t>>();
  const auto expect_near = [](std::span<const float> got, const Json& rows, const char* what) {
    ASSERT_EQ(got.size(), rows.size() * 64) << what;
    for (size_t i = 0; i < got.size(); ++i)
      EXPECT_NEAR(got[i], rows[i / 64][i % 64].get<double>(), 2e-5) << what << " " << i;
  };
  expect_near(hidden_of(*model, ids), golden["vectors"]["none"], "none");
  for (const char* pooling : {"cls", "mean", "last"})
    expect_near(embed(*model, {ids}, {.pooling = pooling_named(pooling)}).to_vector(),
                golden["vectors"][pooling], pooling);
}

TEST(Embed, MakesVectorsOfLengthOne) {
  const auto model = make_model(tiny("bert"), DType::f32, 1);
  const Tensor vectors = embed(*model, kTexts, {.length = VectorLength::one});
  for (int64_t t = 0; t < 3; ++t) {
    double squares = 0;
    for (int64_t d = 0; d < 16; ++d) squares += std::pow(vectors.f32()[t * 16 + d], 2);
    EXPECT_NEAR(squares, 1, 1e-5);
  }
}

TEST(Embed, AnEncodersTokensSeeWhatFollows) {
  const auto encoder = make_model(tiny("bert"), DType::f32, 1),
             decoder = make_model(tiny("llama"), DType::f32, 1);
  const EmbedOptions first{.pooling = Pooling::cls};
  const auto differs = [&](Model& model) {
    return embed(model, {{1, 2, 3}}, first).f32()[0] != embed(model, {{1, 2, 4}}, first).f32()[0];
  };
  EXPECT_TRUE(differs(*encoder));
  EXPECT_FALSE(differs(*decoder));
}

TEST(Embed, RefusesEmptyAndOverlongTextsAndCutsThemWhenAsked) {
  const auto model = make_model(tiny("bert"), DType::f32, 1);
  EXPECT_THROW(embed(*model, {{}}, {}), Error);
  std::vector<int32_t> ids(13, 3);
  ids.back() = 7;
  EXPECT_THROW(embed(*model, {ids}, {}), Error);
  truncate_ids(ids, model->config());
  EXPECT_EQ(ids.size(), 12U);
  EXPECT_EQ(ids.back(), 7);  // the end's mark stays
  EXPECT_EQ(embed(*model, {ids}, {}).dim(0), 1);
}

TEST(Embed, FollowsTheFilesOfSentenceTransformers) {
  const ScratchFolder folder;
  ModelConfig config = checked(tiny("bert"));
  EXPECT_EQ(embed_options(folder.path(), config).pooling, Pooling::mean);
  EXPECT_EQ(embed_options(folder.path(), checked(tiny("llama"))).pooling, Pooling::last);
  fs::create_directory(folder / "1_Pooling");
  overwrite(folder / "1_Pooling/config.json", R"({"pooling_mode_cls_token": true})");
  overwrite(folder / "modules.json", R"([{"type": "sentence_transformers.models.Normalize"}])");
  config.pooling = folder_pooling(folder.path());
  const EmbedOptions options = embed_options(folder.path(), config);
  EXPECT_EQ(options.pooling, Pooling::cls);
  EXPECT_EQ(options.length, VectorLength::one);
  overwrite(folder / "1_Pooling/config.json", R"({"pooling_mode_max_tokens": true})");
  config.pooling = folder_pooling(folder.path());
  EXPECT_THROW(embed_options(folder.path(), config), Error);
}

}  // namespace
}  // namespace malssi
