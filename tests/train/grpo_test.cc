#include "train/rl/grpo.h"

#include <gtest/gtest.h>

#include <cmath>
#include <csignal>

#include "train/resume.h"
#include "train/rl/rl_objective.h"
#include "train/runs.h"
#include "train/tune/student.h"

namespace malssi {
namespace {

// A base model that says anything, and a reward for saying "e" at all: something that sampling meets.
class Grpo : public testing::Test {
 protected:
  void SetUp() override {
    Listener listener;
    base_ = little_base(scratch_, listener.console());
    std::string lines;
    for (const char* name : {"Mina", "Tom", "Ara", "Juno"})
      for (const char* thing : {"cat", "boat", "sea", "tea", "rain"})
        lines += concat(R"({"prompt":")", name, " sees ", thing, R"(","answer":"e"})", "\n");
    overwrite(scratch_ / "prompts.jsonl", lines);
  }

  GrpoConfig config(const std::string& out, const std::string& loss = "grpo") const {
    GrpoConfig config;
    config.grpo.model = base_.string();
    config.grpo.data = (scratch_ / "prompts.jsonl").string();
    config.grpo.val_fraction = 0.2;
    config.grpo.method.loss = loss;
    config.grpo.group = 6;
    config.grpo.max_tokens = 6;
    config.reward.use = {"regex", "length=0.1"};
    config.reward.pattern = "e";
    config.optim.lr = 1e-2;
    config.train.out = (scratch_ / out).string();
    config.train.compute = "f32";
    config.train.threads = 1;
    config.train.steps = 16;
    config.train.batch_rows = 4;
    config.train.micro_batch_tokens = 100;
    config.train.eval_every = 4;
    config.train.checkpoint_every = 4;
    config.log.samples = 1;
    return config;
  }

  std::vector<RlPrompt> prompts(const Student& student) const {
    auto all = load_rl_prompts(scratch_ / "prompts.jsonl").prompts;
    encode_rl_prompts(all, *student.tokenizer, student.chat, 64, 6);
    return all;
  }

  ScratchFolder scratch_;
  fs::path base_;
};

TEST_F(Grpo, EveryLossRaisesTheReward) {
  for (const char* loss : {"grpo", "dr_grpo", "dapo", "gspo", "rloo", "reinforce++"}) {
    Listener listener;
    auto some = config(loss, loss);
    some.grpo.method.beta = std::string(loss) == "dapo" ? 0 : 0.001;
    if (std::string(loss) == "gspo") some.grpo.mini_batches = 2;
    some.train.steps = 40;
    some.train.eval_every = 0;
    some.grpo.val_fraction = 0;
    const RunResult result = run_grpo(some, listener.console());
    EXPECT_EQ(result.end, LoopEnd::finished);
    std::vector<Metrics> lessons;  // the steps that drew answers
    for (const Metrics& line : read_metrics(scratch_ / loss / "metrics.jsonl"))
      if (std::isfinite(line.figure("reward"))) lessons.push_back(line);
    ASSERT_GE(lessons.size(), 20u);
    double first = 0, last = 0;
    for (size_t i = 0; i < 5; ++i) {
      first += lessons[i].figure("reward_regex") / 5;
      last += lessons[lessons.size() - 1 - i].figure("reward_regex") / 5;
    }
    EXPECT_GT(last, first + 0.15) << loss << ": " << first << " to " << last;
    for (const char* figure : {"reward", "reward_length", "entropy", "answer_tokens", "clipped",
                               "rollout_drift", "groups_that_teach"})
      EXPECT_TRUE(std::isfinite(lessons.back().figure(figure))) << figure;
    EXPECT_TRUE(load_model(result.model, DType::f32).chat);
  }
}

TEST_F(Grpo, BeginsAtRatioOneWithoutDivergence) {
  auto still = config("still");
  still.grpo.method.beta = 0.1;
  still.grpo.mini_batches = 1;
  still.grpo.inner_epochs = 2;
  still.train.steps = 2;
  Listener listener;
  run_grpo(still, listener.console());
  const auto metrics = read_metrics(scratch_ / "still/metrics.jsonl");
  EXPECT_EQ(metrics[1].step, 1);
  EXPECT_NEAR(metrics[1].figure("kl"), 0, 1e-9);
  EXPECT_EQ(metrics[1].figure("clipped"), 0);
  EXPECT_NEAR(metrics[1].loss, 0, 1e-4);  // advantages of a group sum to 0
  EXPECT_LT(metrics[1].figure("rollout_drift"), 1e-4);
  EXPECT_GT(metrics[2].figure("kl"), 1e-9);  // the second pass over the same answers
}

TEST_F(Grpo, StoppedAndResumedEndsWithTheSameWeightsAndRecords) {
  for (const char* name : {"full", "adapter"}) {
    const auto make = [&](const std::string& out) {
      auto some = config(concat(name, out));
      some.grpo.inner_epochs = 2;  // so that some checkpoints are in the middle of a lesson
      some.grpo.mini_batches = 3;
      some.grpo.method.beta = 0.05;
      // An adapter brings no tokens of a chat template: its base has them from the run before.
      if (std::string(name) == "adapter") some.grpo.model = (scratch_ / "full-whole").string();
      some.grpo.lora = std::string(name) == "adapter";
      return some;
    };
    Listener quiet;
    const RunResult whole = run_grpo(make("-whole"), quiet.console());
    bool sent = false;
    Listener listener([&](const std::string& text) {
      if (sent || !contains(text, "step 8: validation")) return;
      sent = true;
      std::raise(SIGTERM);
    });
    ASSERT_EQ(run_grpo(make("-parts"), listener.console()).end, LoopEnd::interrupted);
    const fs::path parts = scratch_ / concat(name, "-parts");
    const RunResult resumed = resume_run(parts, {}, quiet.console());
    const char* file =
        std::string(name) == "adapter" ? "adapter_model.safetensors" : "model.safetensors";
    EXPECT_EQ(read_file(resumed.model / file), read_file(whole.model / file)) << name;
    const auto a = read_metrics(scratch_ / concat(name, "-whole") / "metrics.jsonl");
    const auto b = read_metrics(parts / "metrics.jsonl");
    ASSERT_EQ(a.size(), b.size());
    for (const char* figure : {"loss", "val_loss", "reward", "kl", "entropy", "clipped"})
      for (size_t i = 0; i < a.size(); ++i) {
        const double x = a[i].figure(figure), y = b[i].figure(figure);
        EXPECT_TRUE(x == y || (std::isnan(x) && std::isnan(y))) << figure << " at line " << i;
      }
  }
}

// One step on all answers at once is that on pieces of them: each loss divides by what the whole step holds.
TEST_F(Grpo, TheGradientDoesNotDependOnThePieces) {
  const Student student = load_student(base_, {});
  const auto train = prompts(student);
  RewardSettings settings;
  settings.use = {"regex"};
  settings.pattern = "e";
  const AnswerJudge judge(*student.tokenizer, make_rewards(settings, 6, DType::f32, {}), "");
  for (const char* loss : {"grpo", "dapo", "dr_grpo", "rloo"}) {
    std::vector<std::vector<float>> gradients;
    std::vector<double> losses;
    for (const int64_t tokens : {1, 60, 100000}) {
      RlObjective objective({.policy = *student.model,
                             .reference = student.model.get(),
                             .tokenizer = *student.tokenizer},
                            judge, train, {},
                            {.method = {.loss = loss, .beta = 0.1},
                             .rollout = {.samples = 8, .max_tokens = 6},
                             .prompts = 4,
                             .piece_tokens = tokens});
      losses.push_back(objective.accumulate(0)->loss);
      std::vector<float> all;
      student.model->visit([&](const Parameter& parameter) {
        for (const float x : parameter.value->grad().to_vector()) all.push_back(x);
        parameter.value->clear_grad();
      });
      gradients.push_back(all);
    }
    double size = 0;
    for (const float each : gradients[0]) size = std::max<double>(size, std::abs(each));
    EXPECT_GT(size, 1e-3);
    for (size_t i = 1; i < gradients.size(); ++i) {
      EXPECT_NEAR(losses[i], losses[0], 1e-6);
      for (size_t j = 0; j < gradients[0].size(); ++j)
        ASSERT_NEAR(gradients[i][j], gradients[0][j], 1e-5 * std::max(size, 1.0)) << loss;
    }
  }
}

TEST_F(Grpo, GroupsThatTeachNothingAreDrawnAnew) {
  Listener listener;
  auto dapo = config("dapo", "dapo");
  dapo.reward.use = {"exact"};
  overwrite(scratch_ / "prompts.jsonl", R"({"prompt":"Tom","answer":"never said"})"
                                        "\n"
                                        R"({"prompt":"Ara","answer":"nor this"})");
  dapo.train.steps = 2;
  dapo.grpo.val_fraction = 0;
  const RunResult result = run_grpo(dapo, listener.console());  // nothing to learn at all
  EXPECT_EQ(result.end, LoopEnd::finished);
  const auto metrics = read_metrics(scratch_ / "dapo/metrics.jsonl");
  EXPECT_EQ(metrics.back().figure("groups_that_teach"), 0);
  EXPECT_EQ(metrics.back().loss, 0);
}

TEST_F(Grpo, WhatCannotBeUsedIsToldInOneLine) {
  Listener listener;
  const auto error = [&](const GrpoConfig& config) {
    return error_of([&] { run_grpo(config, listener.console()); });
  };
  auto wrong = config("run");
  wrong.grpo.model = (scratch_ / "nowhere").string();
  EXPECT_TRUE(contains(error(wrong), "nowhere"));
  wrong = config("run");
  wrong.grpo.group = 1;
  EXPECT_TRUE(contains(error(wrong), "needs 2 at least"));
  wrong = config("run");
  wrong.grpo.max_tokens = 64;
  EXPECT_TRUE(contains(error(wrong), "leaves room for 64 tokens"));
  wrong = config("run");
  wrong.grpo.mini_batches = 1000;
  EXPECT_TRUE(contains(error(wrong), "more than the 24 answers"));
  wrong = config("run");
  wrong.reward.use = {"model"};
  wrong.reward.reward_model = (scratch_ / "no-judge").string();
  EXPECT_TRUE(contains(error(wrong), "no-judge"));
  overwrite(scratch_ / "prompts.jsonl", R"({"prompt":"Tom"})"
                                        "\n"
                                        R"({"prompt":"Ara"})");
  wrong = config("other");
  wrong.reward.use = {"exact"};
  const std::string message = error(wrong);
  EXPECT_TRUE(contains(message, "\"answer\" is missing")) << message;
  EXPECT_TRUE(is_one_line(message));
}

}  // namespace
}  // namespace malssi
