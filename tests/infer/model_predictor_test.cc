// Generation on real, tiny models with random weights: what comes through the KV cache must be what the model computes
// on the whole text at once.
#include "infer/model_predictor.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/parallel.h"
#include "infer/generate.h"
#include "nn/context.h"

namespace malssi {
namespace {

using Ids = std::vector<int32_t>;

ModelConfig tiny(const std::string& family, int64_t vocab = 60) {
  ModelConfig config;
  config.family = family;
  config.vocab = vocab;
  config.width = 32;
  config.layers = 2;
  config.heads = 4;
  config.kv_heads = family == "llama" ? 2 : 4;
  config.context = 64;
  config.bias = family == "gpt2";
  return config;
}

// Random weights are too even to tell tokens apart: make them larger.
std::unique_ptr<Model> sharp_model(const ModelConfig& config, uint64_t seed = 1) {
  auto model = make_model(config, DType::f32, seed);
  model->visit([](const Parameter& parameter) {
    if (parameter.kind != ParameterKind::matrix && parameter.kind != ParameterKind::embedding)
      return;
    float* values = parameter.value->f32();
    for (int64_t i = 0; i < parameter.value->size(); ++i) values[i] *= 8;
  });
  return model;
}

Ids random_ids(int64_t count, int64_t vocab, uint64_t seed) {
  Rng rng(seed);
  Ids ids;
  for (int64_t i = 0; i < count; ++i) ids.push_back(static_cast<int32_t>(rng.below(vocab)));
  return ids;
}

// Logits after the last token, from one causal pass.
std::vector<float> logits_at_once(Model& model, const Ids& ids) {
  CausalBatch context({0, static_cast<int32_t>(ids.size())});
  const Tensor hidden = model.hidden(ids, context);
  return model.logits(hidden.rows(hidden.dim(0) - 1, hidden.dim(0))).to_vector();
}

void expect_near(std::span<const float> got, const std::vector<float>& expected) {
  ASSERT_EQ(got.size(), expected.size());
  float largest = 1;
  for (const float x : expected) largest = std::max(largest, std::abs(x));
  for (size_t i = 0; i < got.size(); ++i) ASSERT_NEAR(got[i], expected[i], 1e-4 * largest);
}

// One thread: on models this small, waiting for a second one on a busy machine would take most of the time.
class ModelPredictorOf : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override { set_thread_count(1); }
  void TearDown() override { set_thread_count(threads_); }

 private:
  int threads_ = thread_count();
};
INSTANTIATE_TEST_SUITE_P(Families, ModelPredictorOf, testing::Values("gpt2", "llama"));

TEST_P(ModelPredictorOf, GivesTheLogitsOfTheWholeText) {
  const auto model = sharp_model(tiny(GetParam()));
  const Ids ids = random_ids(40, 60, 3);
  ModelPredictor predictor(*model, 1);
  expect_near(prefill(predictor, 0, std::span(ids).first(25)),
              logits_at_once(*model, Ids(ids.begin(), ids.begin() + 25)));
  for (size_t n = 26; n <= ids.size(); ++n) {
    const Predictor::Piece piece{.slot = 0, .ids = std::span(ids).subspan(n - 1, 1)};
    expect_near(predictor.feed({&piece, 1}),
                logits_at_once(*model, Ids(ids.begin(), ids.begin() + static_cast<int64_t>(n))));
  }
  EXPECT_EQ(predictor.length(0), 40);
}

TEST_P(ModelPredictorOf, KeepsSlotsApartInOnePass) {
  const auto model = sharp_model(tiny(GetParam()));
  set_thread_count(2);
  const Ids a = random_ids(9, 60, 4), b = random_ids(20, 60, 5), c = random_ids(3, 60, 6);
  ModelPredictor predictor(*model, 3);
  const Predictor::Piece first[] = {{.slot = 2, .ids = std::span(a).first(8)},
                                    {.slot = 0, .ids = std::span(b).first(5), .logits = 0}};
  predictor.feed(first);
  const Predictor::Piece second[] = {{.slot = 2, .ids = std::span(a).subspan(8)},
                                     {.slot = 1, .ids = c, .logits = 0},
                                     {.slot = 0, .ids = std::span(b).subspan(5)}};
  const std::span<const float> logits = predictor.feed(second);
  ASSERT_EQ(logits.size(), 120u);
  expect_near(logits.first(60), logits_at_once(*model, a));
  expect_near(logits.subspan(60), logits_at_once(*model, b));
}

TEST_P(ModelPredictorOf, ForgetsWhatIsTruncatedAndCopiesWhatIsCopied) {
  const auto model = sharp_model(tiny(GetParam()));
  const Ids ids = random_ids(12, 60, 7);
  ModelPredictor predictor(*model, 2);
  prefill(predictor, 0, random_ids(30, 60, 8));
  predictor.truncate(0, 0);
  prefill(predictor, 0, std::span(ids).first(10));
  predictor.copy(0, 1);
  EXPECT_EQ(predictor.length(1), 10);
  prefill(predictor, 0, random_ids(5, 60, 9));  // must not disturb the copy
  expect_near(prefill(predictor, 1, std::span(ids).subspan(10)), logits_at_once(*model, ids));
  predictor.truncate(0, 10);
  expect_near(prefill(predictor, 0, std::span(ids).subspan(10)), logits_at_once(*model, ids));
}

TEST_P(ModelPredictorOf, BeamSearchFindsTheBestOfAllAnswers) {
  const int64_t vocab = 5;
  const auto model = sharp_model(tiny(GetParam(), vocab), 2);
  const Ids prompt = {1, 4, 2};
  // Every answer of at most 4 tokens that ends with token 0 or is full.
  double best = -1e30;
  Ids best_ids;
  const std::function<void(Ids, double)> walk = [&](const Ids& answer, double logprob) {
    Ids all = prompt;
    all.insert(all.end(), answer.begin(), answer.end());
    std::vector<float> row = logits_at_once(*model, all);
    log_softmax(row);
    for (int32_t token = 0; token < vocab; ++token) {
      Ids longer = answer;
      longer.push_back(token);
      const double sum = logprob + row[static_cast<size_t>(token)];
      if (token != 0 && longer.size() < 4) {
        walk(longer, sum);
      } else if (sum / static_cast<double>(longer.size()) > best) {
        best = sum / static_cast<double>(longer.size());
        best_ids = longer;
      }
    }
  };
  walk({}, 0);
  ModelPredictor predictor(*model, 125);
  const auto found = beam_search(
      predictor, prompt,
      {.beams = 125, .early_stopping = EarlyStopping::never, .max_tokens = 4, .end_tokens = {0}});
  EXPECT_EQ(found.at(0).ids, best_ids);
  EXPECT_NEAR(found[0].score, best, 1e-4);
}

TEST_P(ModelPredictorOf, BatchedAnswersAreThoseOfOneAtATime) {
  const auto model = sharp_model(tiny(GetParam(), 256));
  const auto tokenizer = make_byte_tokenizer();
  std::vector<Ids> prompts;
  for (uint64_t i = 0; i < 11; ++i)
    prompts.push_back(random_ids(1 + static_cast<int64_t>(i * 5 % 23), 256, 20 + i));
  const GenerateOptions options{
      .sampling = {.temperature = 0}, .max_tokens = 20, .stop_tokens = {7, 70, 170}};
  ModelPredictor one(*model, 1), four(*model, 4);
  const auto together = generate_batch(four, *tokenizer, prompts, options);
  for (size_t i = 0; i < prompts.size(); ++i)
    EXPECT_EQ(together[i].text, Generator(one, *tokenizer).run(prompts[i], options).text) << i;
}

// In every type of the cache: alone or beside others, at once or token by token, the logits are the same to the bit.
class CacheIn : public testing::TestWithParam<DType> {};
INSTANTIATE_TEST_SUITE_P(Types, CacheIn,
                         testing::Values(DType::f32, DType::bf16, DType::f16, DType::q8_0),
                         [](const auto& type) { return std::string(dtype_name(type.param)); });

TEST_P(CacheIn, LogitsDoNotDependOnWhatIsComputedBeside) {
  ModelConfig config = tiny("llama");
  config.context = 200;
  const auto model = sharp_model(config);
  const Ids ids = random_ids(150, 60, 4), other = random_ids(90, 60, 5);
  ModelPredictor one(*model, 1, 0, GetParam()), two(*model, 2, 0, GetParam());
  const Predictor::Piece alone = {.slot = 0, .ids = ids};
  const std::span<const float> logits = one.feed({&alone, 1});
  const std::vector<float> expected(logits.begin(), logits.end());
  const Predictor::Piece first[] = {{.slot = 0, .ids = other, .logits = 0},
                                    {.slot = 1, .ids = std::span(ids).first(149), .logits = 0}};
  two.feed(first);
  const Predictor::Piece last[] = {{.slot = 1, .ids = std::span(ids).last(1)},
                                   {.slot = 0, .ids = std::span(other).last(3), .logits = 0}};
  const std::span<const float> beside = two.feed(last);
  EXPECT_EQ(std::vector<float>(beside.begin(), beside.end()), expected);
}

TEST_P(CacheIn, LogitsAreNearThoseWithoutACache) {
  const auto model = make_model(tiny("llama"), DType::f32, 1);
  const Ids ids = random_ids(40, 60, 3);
  const std::vector<float> expected = logits_at_once(*model, ids);
  ModelPredictor predictor(*model, 1, 0, GetParam());
  const std::span<const float> got = prefill(predictor, 0, ids);
  for (size_t i = 0; i < got.size(); ++i) ASSERT_NEAR(got[i], expected[i], 2e-3);
}

TEST(ModelPredictor, RefusesTokensOutsideTheVocabulary) {
  const auto model = make_model(tiny("llama"), DType::f32, 1);
  ModelPredictor predictor(*model, 1);
  EXPECT_THROW(prefill(predictor, 0, Ids{60}), Error);
  EXPECT_THROW(prefill(predictor, 0, Ids{-1}), Error);
}

TEST(ModelPredictor, HoldsNoMoreThanTheModelsContext) {
  const auto model = make_model(tiny("llama"), DType::f32, 1);
  EXPECT_EQ(ModelPredictor(*model, 1).capacity(), 64);
  EXPECT_EQ(ModelPredictor(*model, 1, 20).capacity(), 20);
  EXPECT_EQ(ModelPredictor(*model, 1, 1000).capacity(), 64);
}

}  // namespace
}  // namespace malssi
