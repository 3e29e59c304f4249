#include "train/rl/ppo.h"

#include <gtest/gtest.h>

#include <cmath>
#include <csignal>

#include "train/align/align.h"
#include "train/resume.h"
#include "train/rl/ppo_models.h"
#include "train/rl/ppo_objective.h"
#include "train/rl/token_log_probs.h"
#include "train/runs.h"
#include "train/tune/sft.h"

namespace malssi {
namespace {

// A model that answers "tea." or "rain.", and a reward model that likes tea: made once for all tests.
class Ppo : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    shared_ = new ScratchFolder();
    const ScratchFolder& scratch = *shared_;
    Listener listener;
    const fs::path model = little_base(scratch, listener.console());
    std::string chats, pairs, prompts;
    for (const char* name : {"Mina", "Tom", "Ara", "Juno"})
      for (const char* thing : {"cat", "boat", "sea", "tea"}) {
        const std::string asked = concat(R"({"prompt":")", name, " sees ", thing, R"(")");
        prompts += asked + "}\n";
        pairs += asked + R"(,"chosen":"tea.","rejected":"rain."})" + "\n";
        for (const char* answer : {"tea.", "rain."})
          chats += concat(R"({"messages":[{"role":"user","content":")", name, " sees ", thing,
                          R"("},{"role":"assistant","content":")", answer, R"("}]})", "\n");
      }
    overwrite(scratch / "chats.jsonl", chats);
    overwrite(scratch / "pairs.jsonl", pairs);
    overwrite(scratch / "prompts.jsonl", prompts);
    SftConfig tuned;
    tuned.sft.model = model.string();
    tuned.sft.data = {(scratch / "chats.jsonl").string()};
    small(tuned.train, tuned.log);
    tuned.train.out = (scratch / "chat").string();
    tuned.train.steps = 60;
    tuned.optim.lr = 2e-2;
    chat_ = run_sft(tuned, listener.console()).model;
    AlignConfig judge("reward");
    judge.align.model = chat_.string();
    judge.align.data = {(scratch / "pairs.jsonl").string()};
    small(judge.train, judge.log);
    judge.train.out = (scratch / "judge").string();
    judge.train.steps = 30;
    judge.optim.lr = 1e-2;
    judge_ = run_align(judge, listener.console()).model;
    judge.align.lora = true;
    judge.lora.targets = "all-linear";
    judge.train.out = (scratch / "judge-lora").string();
    run_align(judge, listener.console());
  }
  static void TearDownTestSuite() {
    delete shared_;
    shared_ = nullptr;
  }

  static void small(TrainSettings& train, LogSettings& log) {
    train.compute = "f32";
    train.threads = 1;
    train.batch_rows = 4;
    train.eval_every = 0;
    train.checkpoint_every = 0;
    log.every = 1;
    log.samples = 0;
  }

  PpoConfig config(const std::string& out) const {
    PpoConfig config;
    config.ppo.model = chat_.string();
    config.ppo.data = (*shared_ / "prompts.jsonl").string();
    config.ppo.reward = judge_.string();
    config.ppo.val_fraction = 0.25;
    config.ppo.answers = 8;
    config.ppo.inner_epochs = 2;
    config.ppo.max_tokens = 12;
    config.optim.lr = 3e-3;
    config.optim.warmup_steps = 0;
    small(config.train, config.log);
    config.train.out = (scratch_ / out).string();
    config.train.steps = 12;
    config.train.micro_batch_tokens = 100;
    config.train.eval_every = 4;
    config.train.checkpoint_every = 4;
    return config;
  }

  static ScratchFolder* shared_;
  static fs::path chat_, judge_;
  ScratchFolder scratch_;
};

ScratchFolder* Ppo::shared_ = nullptr;
fs::path Ppo::chat_, Ppo::judge_;

double mean_figure(const std::vector<Metrics>& lines, std::string_view name, size_t begin,
                   size_t count) {
  double sum = 0, found = 0;
  for (size_t i = begin; i < begin + count; ++i) {
    const double x = lines[i].figure(name);
    if (std::isnan(x)) continue;
    sum += x;
    ++found;
  }
  return sum / found;
}

TEST_F(Ppo, IdenticalPoliciesHaveTheRatioOneAndNoDistance) {
  for (const bool lora : {false, true}) {
    auto still = config(lora ? "adapter" : "whole");
    still.ppo.lora = lora;
    still.train.compute = lora ? "bf16" : "f32";
    still.ppo.kl_weight = 0;
    still.train.steps = 1;
    Listener listener;
    run_ppo(still, listener.console());
    const Metrics first = read_metrics(fs::path(still.train.out) / "metrics.jsonl")[1];
    EXPECT_NEAR(first.figure("ratio"), 1, lora ? 1e-2 : 1e-6) << lora;  // bf16 rounds
    EXPECT_EQ(first.figure("clip_fraction"), 0) << lora;
    EXPECT_EQ(first.figure("kl"), 0) << lora;
    EXPECT_GT(first.figure("entropy"), 0) << lora;
  }
}

TEST_F(Ppo, LearnsToPleaseTheRewardModel) {
  for (const char* critic : {"reward", "policy"}) {
    auto longer = config(critic);
    longer.ppo.critic = critic;
    longer.ppo.answers = 16;
    longer.ppo.kl_weight = 0.02;
    longer.train.steps = 120;
    longer.train.eval_every = 40;
    longer.log.samples = 1;
    Listener listener;
    const RunResult result = run_ppo(longer, listener.console());
    EXPECT_EQ(result.end, LoopEnd::finished);
    const auto metrics = read_metrics(scratch_ / critic / "metrics.jsonl");
    EXPECT_GT(mean_figure(metrics, "reward", metrics.size() - 24, 24),
              mean_figure(metrics, "reward", 0, 24) + 0.3)
        << critic;
    EXPECT_GT(metrics.back().figure("val_reward"), metrics.front().figure("val_reward")) << critic;
    EXPECT_GT(mean_figure(metrics, "kl_weight", 0, 24), 0);
    EXPECT_TRUE(contains(read_file(scratch_ / critic / "report.html"), "Before and after"));
    EXPECT_TRUE(load_model(result.model, DType::f32).chat);
  }
}

TEST_F(Ppo, AnAdapterLearnsBesideAFrozenPolicyAndAnAdapterJudges) {
  auto adapted = config("run");
  adapted.ppo.lora = true;
  adapted.lora.targets = "all-linear";
  adapted.ppo.reward = (*shared_ / "judge-lora").string();
  adapted.ppo.answers = 16;
  adapted.ppo.kl_weight = 0.02;
  adapted.train.steps = 120;
  adapted.optim.lr = 1e-2;
  Listener listener;
  const RunResult result = run_ppo(adapted, listener.console());
  const auto metrics = read_metrics(scratch_ / "run/metrics.jsonl");
  EXPECT_GT(mean_figure(metrics, "reward", metrics.size() - 24, 24),
            mean_figure(metrics, "reward", 0, 24) + 0.3);
  EXPECT_EQ(result.model, scratch_ / "run/adapter");
  const LoadedModel base = load_model(chat_, DType::f32);
  EXPECT_EQ(attach_adapter(*base.model, result.model), 0);  // no trace of the critic
}

TEST_F(Ppo, StoppedAndResumedEndsWithTheSameWeightsAndRecords) {
  struct Case {
    const char *name, *critic;
    bool lora, text;
  };
  for (const Case& each :
       {Case{"own", "reward", true, false}, Case{"shared", "policy", false, true}}) {
    const auto of = [&](const std::string& out) {
      auto made = config(concat(each.name, "-", out));
      made.ppo.critic = each.critic;
      made.ppo.lora = each.lora;
      if (each.text) made.ppo.text = {(*shared_ / "text.txt").string()};
      made.train.eval_every = 5;  // between two drawings of answers
      return made;
    };
    Listener quiet;
    const RunResult whole = run_ppo(of("whole"), quiet.console());
    bool sent = false;
    Listener listener([&](const std::string& text) {
      if (sent || !contains(text, "step 5: validation")) return;
      sent = true;
      std::raise(SIGTERM);
    });
    ASSERT_EQ(run_ppo(of("parts"), listener.console()).end, LoopEnd::interrupted);
    const fs::path parts = scratch_ / concat(each.name, "-parts");
    const RunResult resumed = resume_run(parts, {}, quiet.console());
    const char* file = each.lora ? "adapter_model.safetensors" : "model.safetensors";
    EXPECT_EQ(read_file(resumed.model / file), read_file(whole.model / file)) << each.name;
    const auto a = read_metrics(scratch_ / concat(each.name, "-whole") / "metrics.jsonl");
    const auto b = read_metrics(parts / "metrics.jsonl");
    ASSERT_EQ(a.size(), b.size());
    for (const char* figure : {"loss", "val_loss", "reward", "kl", "value_loss", "kl_weight"})
      for (size_t i = 0; i < a.size(); ++i) {
        const double x = a[i].figure(figure), y = b[i].figure(figure);
        EXPECT_TRUE(x == y || (std::isnan(x) && std::isnan(y))) << figure << " at line " << i;
      }
  }
}

// Gradients of a step's first answers, for policy and critic, computed in pieces of so many tokens.
std::vector<float> step_gradients(PpoConfig config, int64_t piece_tokens) {
  const auto models = load_ppo_models(config, {});
  RlPrompts prompts = load_rl_prompts(config.ppo.data);
  encode_rl_prompts(prompts.prompts, *models->policy.tokenizer, models->policy.chat, 64, 12);
  const PpoActors actors{.policy = *models->policy.model,
                         .adapters = models->trained.adapters,
                         .reference = models->reference_model(),
                         .tokenizer = *models->policy.tokenizer,
                         .critic = models->critic,
                         .reward = *models->reward};
  ExperienceOptions experience{.max_tokens = 12,
                               .ends = models->policy.chat.stop_ids(*models->policy.tokenizer),
                               .piece_tokens = piece_tokens};
  PpoObjective objective(actors, prompts.prompts, {}, nullptr,
                         {.experience = experience, .answers = 8, .answers_per_step = 8});
  EXPECT_TRUE(objective.accumulate(0));
  std::vector<float> all;
  for (const auto* parameters : {&models->trained.parameters, &models->trained.companions})
    for (const Parameter& p : *parameters)
      if (p.value->grad())
        for (const float x : p.value->grad().to_vector()) all.push_back(x);
  return all;
}

TEST_F(Ppo, EightAnswersAtOnceOrOneByOneGiveTheSameGradients) {
  for (const char* critic : {"reward", "policy"}) {
    auto made = config("none");
    made.ppo.critic = critic;
    const std::vector<float> one = step_gradients(made, 1), eight = step_gradients(made, 100000);
    ASSERT_EQ(one.size(), eight.size());
    double greatest = 0;
    for (const float x : one) greatest = std::max(greatest, std::abs(static_cast<double>(x)));
    ASSERT_GT(greatest, 0);
    for (size_t i = 0; i < one.size(); ++i)
      ASSERT_NEAR(one[i], eight[i], 1e-6 * std::max(greatest, 1.0)) << critic;
  }
}

TEST_F(Ppo, AJudgeWithOtherTokensReadsTextsButCannotBeTheCritic) {
  Listener listener;
  auto base = little_config(scratch_, "bytes");
  base.tokenizer.kind = "byte";
  base.model.context = 96;
  base.train.steps = 1;
  AlignConfig judge("reward");
  judge.align.model = run_pretrain(base, listener.console()).model.string();
  judge.align.data = {(*shared_ / "pairs.jsonl").string()};
  small(judge.train, judge.log);
  judge.train.out = (scratch_ / "judge").string();
  judge.train.steps = 1;
  auto made = config("run");
  made.ppo.reward = run_align(judge, listener.console()).model.string();
  made.train.steps = 1;
  EXPECT_TRUE(contains(error_of([&] { run_ppo(made, listener.console()); }), "--critic policy"));
  made.ppo.critic = "policy";
  EXPECT_EQ(run_ppo(made, listener.console()).end, LoopEnd::finished);
}

TEST_F(Ppo, AMissingEndIsPenalised) {
  auto strict = config("strict"), mild = config("mild");
  strict.ppo.max_tokens = mild.ppo.max_tokens = 1;  // no answer can end
  strict.ppo.missing_end_penalty = 5;
  mild.ppo.missing_end_penalty = 0;
  Listener listener;
  for (PpoConfig* each : {&strict, &mild}) {
    each->train.steps = 1;
    run_ppo(*each, listener.console());
  }
  const Metrics a = read_metrics(scratch_ / "strict/metrics.jsonl")[1];
  const Metrics b = read_metrics(scratch_ / "mild/metrics.jsonl")[1];
  EXPECT_EQ(a.figure("ended"), b.figure("ended"));
  EXPECT_NEAR(a.figure("reward"), b.figure("reward") - 5 * (1 - b.figure("ended")), 1e-6);
}

TEST_F(Ppo, WhatCannotBeUsedIsToldInOneLine) {
  Listener listener;
  const auto told = [&](const std::function<void(PpoConfig&)>& spoil) {
    auto made = config("run");
    spoil(made);
    return error_of([&] { run_ppo(made, listener.console()); });
  };
  EXPECT_TRUE(contains(told([](PpoConfig& c) { c.ppo.reward = ""; }), "--reward"));
  EXPECT_TRUE(
      contains(told([](PpoConfig& c) { c.ppo.reward = chat_.string(); }), "gives no scores"));
  EXPECT_TRUE(
      contains(told([](PpoConfig& c) { c.ppo.model = judge_.string(); }), "writes no answers"));
  EXPECT_TRUE(contains(told([](PpoConfig& c) { c.ppo.data = "nowhere.jsonl"; }), "nowhere.jsonl"));
  EXPECT_TRUE(contains(told([](PpoConfig& c) { c.ppo.answers = 7; }), "multiple"));
  EXPECT_TRUE(contains(told([](PpoConfig& c) { c.ppo.max_tokens = 64; }), "context"));
  EXPECT_FALSE(fs::exists(scratch_ / "run/run.json"));
}

}  // namespace
}  // namespace malssi
