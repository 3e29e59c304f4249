// Rollouts against the model that draws them: what the trainer computes on whole sequences, what one answer at a time gives.
#include "train/rl/rollout.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "models/adapter.h"
#include "ops/sequence_loss.h"
#include "optim/optimizer.h"
#include "tensor/tape.h"
#include "text/char_tokenizer.h"
#include "train/rl/token_log_probs.h"
#include "train/runs.h"

namespace malssi {
namespace {

class RolloutTest : public testing::Test {
 protected:
  static std::unique_ptr<Model> sharp_model(const std::string& family) {
    ModelConfig config;
    config.family = family;
    config.vocab = 40;
    config.width = 32;
    config.layers = 2;
    config.heads = 4;
    config.context = 96;
    if (family == "gemma2") config.logit_softcap = 4;
    auto model = make_model(config, DType::f32, 3);
    model->visit([](const Parameter& parameter) {
      if (parameter.kind == ParameterKind::norm) return;
      for (int64_t i = 0; i < parameter.value->size(); ++i) parameter.value->f32()[i] *= 6;
    });
    return model;
  }

  const std::unique_ptr<Tokenizer> tokenizer_ =
      make_char_tokenizer("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMN");
  const std::vector<std::vector<int32_t>> prompts_ = {
      {1, 2, 3, 4, 5}, {7}, {9, 8, 7, 6, 5, 4, 3, 2, 1}};
};

double greatest_distance(Model& model, const std::vector<Rollout>& rollouts,
                         const PolicyView& view) {
  const auto trainer = answer_token_log_probs(model, rollouts, view, 50);
  double most = 0;
  for (size_t i = 0; i < rollouts.size(); ++i) {
    EXPECT_EQ((*trainer)[i].size(), rollouts[i].log_probs.size());
    for (size_t t = 0; t < rollouts[i].log_probs.size(); ++t)
      most = std::max<double>(most, std::abs((*trainer)[i][t] - rollouts[i].log_probs[t]));
  }
  return most;
}

TEST_F(RolloutTest, LogProbabilitiesAreTheTrainers) {
  for (const char* family : {"llama", "gpt2", "gemma2"})
    for (const double temperature : {1.0, 0.6}) {
      const auto model = sharp_model(family);
      const RolloutOptions options{
          .samples = 5, .temperature = temperature, .max_tokens = 70, .ends = {0}, .seed = 4};
      const auto rollouts = roll_out(*model, *tokenizer_, prompts_, options);
      ASSERT_EQ(rollouts->size(), 15u);
      EXPECT_LT(greatest_distance(*model, *rollouts, {.temperature = temperature}), 1e-4) << family;
    }
}

TEST_F(RolloutTest, AnAnswerDoesNotDependOnWhatIsBesideIt) {
  const auto model = sharp_model("llama");
  RolloutOptions options{.samples = 4, .max_tokens = 40, .ends = {0, 1}, .seed = 9};
  const auto many = roll_out(*model, *tokenizer_, prompts_, options);
  for (const int64_t lanes : {1, 3, 5}) {
    options.lanes = lanes;
    const auto few = roll_out(*model, *tokenizer_, prompts_, options);
    for (size_t i = 0; i < many->size(); ++i) {
      EXPECT_EQ((*few)[i].prompt, prompts_[i / 4]);
      EXPECT_EQ((*few)[i].answer, (*many)[i].answer) << "answer " << i << " in " << lanes;
      EXPECT_EQ((*few)[i].log_probs, (*many)[i].log_probs);
    }
  }
}

TEST_F(RolloutTest, AnswersEndByThemselvesOrGrowTooLong) {
  const auto model = sharp_model("llama");
  const RolloutOptions options{.samples = 30, .max_tokens = 20, .ends = {0, 1, 2, 3}, .seed = 9};
  int64_t ended = 0;
  const auto rollouts = roll_out(*model, *tokenizer_, prompts_, options);
  for (const Rollout& each : *rollouts) {
    for (size_t i = 0; i + 1 < each.answer.size(); ++i) EXPECT_GT(each.answer[i], 3);
    EXPECT_EQ(each.ended, each.answer.back() <= 3);
    EXPECT_TRUE(each.ended || each.answer.size() == 20u);
    EXPECT_GE(each.entropy, 0);
    EXPECT_LE(each.entropy, std::log(40.0) + 1e-9);
    ended += each.ended ? 1 : 0;
  }
  EXPECT_GT(ended, 0);
  EXPECT_LT(ended, 90);
}

TEST_F(RolloutTest, TokensComeAsOftenAsTheModelSays) {
  const auto model = sharp_model("gpt2");
  const std::vector<std::vector<int32_t>> one = {{5, 6}};
  const auto rollouts = roll_out(*model, *tokenizer_, one,
                                 {.samples = 4000, .temperature = 2, .max_tokens = 1, .seed = 1});
  std::map<int32_t, std::pair<int64_t, double>> seen;
  for (const Rollout& each : *rollouts)
    seen[each.answer[0]] = {seen[each.answer[0]].first + 1, std::exp(each.log_probs[0])};
  for (const auto& [id, each] : seen) {
    const double expected = 4000 * each.second;
    EXPECT_NEAR(each.first, expected, 5 * std::sqrt(expected) + 1) << id;
  }
  const auto nucleus = roll_out(*model, *tokenizer_, one,
                                {.samples = 200, .temperature = 2, .top_k = 2, .max_tokens = 1});
  std::map<int32_t, int64_t> few;
  for (const Rollout& each : *nucleus) ++few[each.answer[0]];
  EXPECT_EQ(few.size(), 2u);
}

TEST_F(RolloutTest, ChangedWeightsAreSeenAtOnce) {
  const auto model = sharp_model("llama");
  const RolloutOptions options{.samples = 2, .max_tokens = 30, .seed = 2};
  const auto before = roll_out(*model, *tokenizer_, prompts_, options);
  const auto optimizer = make_optimizer(parameters_of(*model), {});
  for (int step = 0; step < 2; ++step) {
    {
      Tape tape;
      const std::vector<int64_t> which = {0, 1, 2};
      const Batch batch = rollout_batch(*before, which);
      const Tensor log_probs = token_log_probs(*model, batch);
      tape.backward(known_loss(log_probs, 0, batch.weights));
    }
    optimizer->step(0.05);
    optimizer->clear_gradients();
    const auto after = roll_out(*model, *tokenizer_, prompts_, options);
    EXPECT_LT(greatest_distance(*model, *after, {}), 1e-4);
    EXPECT_GT(greatest_distance(*model, *before, {}), 1e-2);
  }
}

TEST_F(RolloutTest, AdaptersAct) {
  const auto model = sharp_model("llama");
  const auto plain = roll_out(*model, *tokenizer_, prompts_, {.samples = 1, .max_tokens = 20});
  Adapter adapter =
      make_adapter(*model, {.rank = 4, .is_target = [](const std::string&) { return true; }});
  for (AdapterPart& part : adapter.parts)
    for (int64_t i = 0; i < part.b.size(); ++i)
      part.b.f32()[i] = 0.3f * static_cast<float>(i % 5 - 2);
  const AdapterMix mix = {{.adapter = model->attach(adapter)}};
  const auto adapted =
      roll_out(*model, *tokenizer_, prompts_, {.samples = 1, .max_tokens = 20, .adapters = mix});
  EXPECT_LT(greatest_distance(*model, *adapted, {.adapters = mix}), 1e-4);
  EXPECT_GT(greatest_distance(*model, *adapted, {}), 1e-2);
  EXPECT_LT(greatest_distance(*model, *plain, {}), 1e-4);
}

TEST_F(RolloutTest, WrongRequestsAreRefused) {
  const auto model = sharp_model("llama");
  const auto error = [&](std::vector<std::vector<int32_t>> prompts, const RolloutOptions& options) {
    return error_of([&] { roll_out(*model, *tokenizer_, prompts, options); });
  };
  EXPECT_TRUE(contains(error({{}}, {}), "the prompt is empty"));
  EXPECT_TRUE(contains(error({std::vector<int32_t>(96, 1)}, {}), "must fit 96 together"));
  EXPECT_TRUE(contains(error({{1}}, {.samples = 0}), "at least 1"));
  EXPECT_TRUE(contains(error({{1}}, {.temperature = -1}), "temperature"));
  EXPECT_TRUE(contains(error({{99}}, {}), "outside the model's vocabulary"));
  EXPECT_FALSE(roll_out(*model, *tokenizer_, prompts_, {.stop_requested = [] { return true; }}));
}

}  // namespace
}  // namespace malssi
