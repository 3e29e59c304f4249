// Requests with different adapters in one engine: each answer is the one it gets alone, to the bit.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <map>

#include "infer/engine.h"
#include "infer/fake_predictor.h"
#include "infer/generate.h"
#include "infer/model_predictor.h"
#include "models/adapter.h"
#include "text/tokenizer.h"

namespace malssi {
namespace {

Tensor drawn(Shape shape, Rng& rng, double deviation) {
  Tensor t = Tensor::empty(shape);
  for (int64_t i = 0; i < t.size(); ++i) t.f32()[i] = static_cast<float>(deviation * rng.normal());
  return t;
}

// Random weights are too even to tell tokens apart: larger ones do.
std::unique_ptr<Model> sharp_model(ModelConfig config) {
  config.vocab = 256;
  config.width = 32;
  config.layers = 2;
  config.context = 64;
  auto model = make_model(config, DType::f32, 1);
  model->visit([](const Parameter& p) {
    for (int64_t i = 0; p.kind != ParameterKind::norm && i < p.value->size(); ++i)
      p.value->f32()[i] *= 8;
  });
  return model;
}

// Adapts every matrix of the model.
int64_t attach_random(Model& model, uint64_t seed) {
  Rng rng(seed);
  Adapter adapter{"drawn", {}};
  model.visit([&](const Parameter& p) {
    if (p.low_ranks == nullptr) return;
    for (const WeightPart& part : p.parts)
      adapter.parts.push_back({part.name.substr(0, part.name.rfind('.')),
                               drawn({3, p.value->dim(1)}, rng, 0.2),
                               drawn({part.end - part.begin, 3}, rng, 0.2), 1});
  });
  return model.attach(adapter);
}

struct Told {
  std::vector<int32_t> ids;
  std::vector<double> logprobs;
  bool operator==(const Told&) const = default;
};

Told told(const Generation& answer) {
  Told all;
  for (const GeneratedToken& token : answer.tokens) {
    all.ids.push_back(token.id);
    all.logprobs.push_back(token.logprob);
  }
  return all;
}

const std::vector<AdapterMix> kMixes = {{}, {{0, 1}}, {{1, 1}}, {{0, 0.5f}, {1, -1.5f}},
                                        {}, {{0, 1}}, {{1, 2}}, {{1, -1.5f}, {0, 0.5f}}};

EngineRequest request_of(size_t i) {
  return {
      .prompt = std::vector<int32_t>(3 + i % 4, static_cast<int32_t>(5 + i % 4)),
      .options = {
          .sampling = {.temperature = 0}, .max_tokens = 12, .logprobs = 0, .adapters = kMixes[i]}};
}

std::map<size_t, Told> answers(Engine& engine, const std::vector<size_t>& which) {
  std::map<size_t, Told> all;
  for (const size_t i : which) {
    EngineRequest request = request_of(i);
    request.on_done = [&all, i](const Generation& done) { all[i] = told(done); };
    engine.submit(std::move(request));
  }
  engine.run();
  return all;
}

TEST(Adapters, InOneBatchAnswerAsAlone) {
  const auto tokenizer = make_byte_tokenizer();
  for (const ModelConfig& config :
       {ModelConfig{.family = "llama", .heads = 4, .kv_heads = 2, .activation = {}},
        ModelConfig{.family = "mixtral",
        .hidden = 32,
        .activation = {},
        .experts = 4,
        .experts_used = 2,
        .expert_hidden = 32}}) {
    const auto model = sharp_model(config);
    attach_random(*model, 7);
    attach_random(*model, 8);
    ModelPredictor many(*model, 5);
    Engine together(many, *tokenizer, {.pass_tokens = 9});
    const auto batch = answers(together, {0, 1, 2, 3, 4, 5, 6, 7});
    ASSERT_EQ(batch.size(), kMixes.size());
    for (size_t i = 0; i < kMixes.size(); ++i) {
      ModelPredictor one(*model, 1);
      Engine alone(one, *tokenizer);
      EXPECT_EQ(answers(alone, {i}).at(i), batch.at(i)) << config.family << i;
    }
    EXPECT_NE(batch.at(0).logprobs, batch.at(1).logprobs);
    EXPECT_NE(batch.at(1).logprobs, batch.at(2).logprobs);
  }
}

// Seconds of so many requests, one after another; request i has mixes[i % 2]. No prompt begins as another does.
double seconds_of(Engine& engine, const std::array<AdapterMix, 2>& mixes, int32_t requests) {
  const auto begin = std::chrono::steady_clock::now();
  for (int32_t i = 0; i < requests; ++i) {
    engine.submit({.prompt = {i, 5, 6},
                   .options = {.sampling = {.temperature = 0},
                               .max_tokens = 2,
                               .adapters = mixes[static_cast<size_t>(i % 2)]}});
    engine.run();
  }
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

// The least of several alternating runs: a busy machine only adds to them.
TEST(Adapters, AreSwitchedFromRequestToRequestWithinAMillisecond) {
  constexpr int32_t kRequests = 50;
  const auto tokenizer = make_byte_tokenizer();
  const auto model = sharp_model({.heads = 4, .activation = {}});
  attach_random(*model, 7);
  attach_random(*model, 8);
  ModelPredictor predictor(*model, 1);
  Engine engine(predictor, *tokenizer);
  double same = 1e9, switched = 1e9;
  for (int round = 0; round < 7; ++round) {
    same = std::min(same, seconds_of(engine, {AdapterMix{{0, 1}}, AdapterMix{{0, 1}}}, kRequests));
    switched =
        std::min(switched, seconds_of(engine, {AdapterMix{{0, 1}}, AdapterMix{{1, 1}}}, kRequests));
  }
  EXPECT_LT((switched - same) / kRequests, 1e-3);
}

TEST(Adapters, ActInBeamSearchToo) {
  const auto tokenizer = make_byte_tokenizer();
  const auto model = sharp_model({.heads = 4, .activation = {}});
  attach_random(*model, 7);
  const std::vector<int32_t> prompt{1, 2, 3};
  ModelPredictor predictor(*model, 3);
  const auto best = [&](const AdapterMix& mix, int64_t beams) {
    return generate_beams(predictor, *tokenizer, prompt, {.max_tokens = 8, .adapters = mix},
                          {.beams = beams, .n_best = 1})
        .front()
        .logprob;
  };
  const double plain = best({}, 3), adapted = best({{0, 1}}, 3);
  EXPECT_NE(plain, adapted);
  EXPECT_EQ(best({}, 3), plain);
  EXPECT_EQ(best({{0, 1}}, 3), adapted);
  // One beam is greedy: the Generator's answer.
  Generator generator(predictor, *tokenizer);
  predictor.truncate(0, 0);
  const Generation greedy = generator.run(
      prompt,
      {.sampling = {.temperature = 0}, .max_tokens = 8, .logprobs = 0, .adapters = {{0, 1}}});
  double sum = 0;
  for (const GeneratedToken& token : greedy.tokens) sum += token.logprob;
  EXPECT_NEAR(best({{0, 1}}, 1), sum, 1e-5);
}

// Knows two adapters, which change nothing.
class AdaptedFake : public FakePredictor {
 public:
  using FakePredictor::FakePredictor;
  int64_t adapters() const override { return 2; }
  void set_adapters(int64_t, const AdapterMix&) override {}
};

TEST(Adapters, ABeginningIsSharedWithTheSameMixOnly) {
  const auto tokenizer = make_byte_tokenizer();
  AdaptedFake predictor(random_table(256, 7), 256, 3);
  Engine engine(predictor, *tokenizer);
  const auto reused = [&](const AdapterMix& mix) {
    const int64_t before = engine.statistics().reused_tokens;
    engine.submit({.prompt = {1, 2, 3, 4, 5},
                   .options = {.sampling = {.temperature = 0}, .max_tokens = 1, .adapters = mix}});
    engine.run();
    return engine.statistics().reused_tokens - before;
  };
  EXPECT_EQ(reused({}), 0);
  EXPECT_EQ(reused({{0, 1}}), 0);
  EXPECT_EQ(reused({{0, 1}, {1, 1}}), 0);
  EXPECT_EQ(reused({{0, 1}}), 4);
  EXPECT_EQ(reused({{1, 0.5f}, {0, 1}, {1, 0.5f}}), 4);
  EXPECT_EQ(reused({{1, 0}}), 4);
  EXPECT_EQ(reused({{0, 0.5f}}), 0);
  EXPECT_THROW(reused({{2, 1}}), Error);
}

}  // namespace
}  // namespace malssi
