#include "train/align/align.h"

#include <gtest/gtest.h>

#include <cmath>
#include <csignal>

#include "io/adapter_file.h"
#include "train/align/preference_objective.h"
#include "train/align/reference.h"
#include "train/resume.h"
#include "train/runs.h"
#include "train/tune/student.h"

namespace malssi {
namespace {

// A base model, and pairs whose better answer can be told by its words: tea is liked, rain is not.
class Align : public testing::Test {
 protected:
  void SetUp() override {
    Listener listener;
    base_ = with_chat(little_base(scratch_, listener.console()), scratch_ / "chat");
    std::string lines;
    for (const char* name : {"Mina", "Tom", "Ara", "Juno"})
      for (const char* thing : {"cat", "boat", "sea", "tea", "rain", "likes", "sees", "a boat"})
        lines += concat(R"({"prompt":")", name, " sees ", thing,
                        R"(","chosen":"tea.","rejected":"rain."})", "\n");
    overwrite(scratch_ / "pairs.jsonl", lines);
  }

  AlignConfig config(const std::string& method, const std::string& out) const {
    AlignConfig config(method);
    config.align.model = base_.string();
    config.align.data = {(scratch_ / "pairs.jsonl").string()};
    config.align.val_fraction = 0.2;
    config.optim.lr = 5e-3;
    config.optim.warmup_steps = 2;
    config.train.out = (scratch_ / out).string();
    config.train.compute = "f32";
    config.train.threads = 1;
    config.train.steps = 24;
    config.train.batch_rows = 4;
    config.train.micro_batch_tokens = 100;
    config.train.eval_every = 8;
    config.train.checkpoint_every = 8;
    config.log.every = 1;
    config.log.samples = 0;
    return config;
  }

  Student student() const { return load_student(base_, {}); }
  PreferenceSet pairs(const Student& student) const {
    return PreferenceSet(load_preferences(scratch_ / "pairs.jsonl", PreferenceKind::pairs).records,
                         *student.tokenizer, student.chat, {.context = 64});
  }

  ScratchFolder scratch_;
  fs::path base_;
};

TEST_F(Align, EveryMethodLearnsToTellHeldOutAnswersApart) {
  for (const char* method : {"dpo", "kto", "orpo", "simpo"}) {
    Listener listener;
    auto longer = config(method, method);
    longer.train.steps = 60;
    const RunResult result = run_align(longer, listener.console());
    EXPECT_EQ(result.end, LoopEnd::finished);
    const auto metrics = read_metrics(scratch_ / method / "metrics.jsonl");
    EXPECT_GT(metrics.back().figure("val_reward_accuracy"), 0.9) << method;
    EXPECT_LT(metrics.back().figure("val_reward_accuracy_low"),
              metrics.back().figure("val_reward_accuracy"))
        << method;
    EXPECT_GT(metrics.back().figure("val_reward_margin"),
              metrics.front().figure("val_reward_margin"))
        << method;
    EXPECT_LT(metrics.back().val_loss, metrics.front().val_loss) << method;
    EXPECT_TRUE(load_model(result.model, DType::f32).chat);
  }
}

TEST_F(Align, DpoBeginsAtTheLogarithmOfTwo) {
  auto still = config("dpo", "still");
  still.train.steps = 1;
  Listener listener;
  run_align(still, listener.console());
  const auto metrics = read_metrics(scratch_ / "still/metrics.jsonl");
  EXPECT_NEAR(metrics.front().val_loss, std::log(2.0), 1e-5);
  EXPECT_NEAR(metrics[1].loss, std::log(2.0), 1e-5);
}

TEST_F(Align, StoppedAndResumedEndsWithTheSameWeightsAndRecords) {
  for (const char* method : {"dpo", "kto"}) {
    Listener quiet;
    const fs::path parts = scratch_ / concat(method, "-parts");
    const RunResult whole = run_align(config(method, concat(method, "-whole")), quiet.console());
    bool sent = false;
    Listener listener([&](const std::string& text) {
      if (sent || !contains(text, "step 8: validation")) return;
      sent = true;
      std::raise(SIGTERM);
    });
    ASSERT_EQ(run_align(config(method, concat(method, "-parts")), listener.console()).end,
              LoopEnd::interrupted);
    const fs::path moved = scratch_ / "moved";
    fs::rename(base_, moved);  // the reference lies in the run
    const RunResult resumed = resume_run(parts, {}, quiet.console());
    fs::rename(moved, base_);
    EXPECT_EQ(weights_of(resumed.model), weights_of(whole.model)) << method;
    const auto a = read_metrics(scratch_ / concat(method, "-whole") / "metrics.jsonl");
    const auto b = read_metrics(parts / "metrics.jsonl");
    ASSERT_EQ(a.size(), b.size());
    for (const char* figure : {"loss", "val_loss", "reward_accuracy", "chosen_log_prob"})
      for (size_t i = 0; i < a.size(); ++i) {
        const double x = a[i].figure(figure), y = b[i].figure(figure);
        EXPECT_TRUE(x == y || (std::isnan(x) && std::isnan(y))) << figure << " at line " << i;
      }
  }
}

TEST_F(Align, ADamagedReferenceIsComputedAnewAndOtherDataIsRefused) {
  auto first = config("dpo", "run");
  first.train.steps = 8;
  Listener listener;
  run_align(first, listener.console());
  const fs::path file = scratch_ / "run/reference.json";
  const std::string kept = read_file(file);
  overwrite(file, kept.substr(0, kept.size() / 2));
  resume_run(scratch_ / "run", {"train.steps=9"}, listener.console());
  EXPECT_EQ(read_file(file), kept);
  overwrite(scratch_ / "pairs.jsonl", R"({"prompt":"Tom","chosen":"tea.","rejected":"sea."})"
                                      "\n"
                                      R"({"prompt":"Ara","chosen":"tea.","rejected":"sea."})");
  EXPECT_TRUE(contains(
      error_of([&] { resume_run(scratch_ / "run", {"train.steps=10"}, listener.console()); }),
      "same data"));
}

TEST_F(Align, AnAdapterLearnsBesideItsFrozenBaseAndIsKeptAsPeft) {
  for (const char* method : {"dpo", "kto", "orpo", "simpo"}) {
    Listener listener;
    auto adapted = config(method, method);
    adapted.align.lora = true;
    adapted.lora.targets = "all-linear";
    adapted.optim.lr = 2e-2;
    adapted.train.steps = 40;
    const std::string before = weights_of(base_);
    const RunResult result = run_align(adapted, listener.console());
    EXPECT_EQ(result.model, scratch_ / method / "adapter");
    EXPECT_EQ(weights_of(base_), before);
    const auto metrics = read_metrics(scratch_ / method / "metrics.jsonl");
    EXPECT_GT(metrics.back().figure("val_reward_accuracy"), 0.9) << method;
    const LoadedModel base = load_model(base_, DType::f32);
    EXPECT_EQ(attach_adapter(*base.model, result.model), 0);
  }
}

TEST_F(Align, TheReferenceIsTheModelWithItsAdapterSwitchedOff) {
  auto still = config("dpo", "still");
  still.align.lora = true;
  still.train.steps = 1;
  Listener listener;
  run_align(still, listener.console());
  EXPECT_NEAR(read_metrics(scratch_ / "still/metrics.jsonl")[1].loss, std::log(2.0), 1e-6);
  const fs::path file = scratch_ / "still/reference.json";
  const std::string kept = read_file(file);
  fs::remove(file);  // computed again beside an adapter that has learned
  resume_run(scratch_ / "still", {"train.steps=2"}, listener.console());
  EXPECT_EQ(read_file(file), kept);
}

TEST_F(Align, AnAdaptersRunGoesOnToTheSameBits) {
  auto whole = config("dpo", "whole"), parts = config("dpo", "parts");
  for (AlignConfig* each : {&whole, &parts}) {
    each->align.lora = true;
    each->lora.dropout = 0.1;
  }
  Listener quiet;
  const RunResult one = run_align(whole, quiet.console());
  bool sent = false;
  Listener listener([&](const std::string& text) {
    if (sent || !contains(text, "step 8: validation")) return;
    sent = true;
    std::raise(SIGTERM);
  });
  ASSERT_EQ(run_align(parts, listener.console()).end, LoopEnd::interrupted);
  const RunResult other = resume_run(scratch_ / "parts", {}, quiet.console());
  EXPECT_EQ(read_file(other.model / "adapter_model.safetensors"),
            read_file(one.model / "adapter_model.safetensors"));
}

TEST_F(Align, PairsThatDecideNothingAreLeftOutAndTold) {
  const std::string good = R"({"prompt":"Tom","chosen":"tea.","rejected":"sea."})";
  overwrite(scratch_ / "pairs.jsonl",
            concat(good, "\n", good, "\n", R"({"prompt":"Tom","chosen":"tea.","rejected":"tea."})",
                   "\n", R"({"prompt":"Tom","chosen":"tea.","rejected":" "})"));
  auto some = config("dpo", "some");
  some.train.steps = 1;
  Listener listener;
  run_align(some, listener.console());
  EXPECT_TRUE(contains(listener.text(), "2 records left out, whose answers are the same or empty"));
  overwrite(scratch_ / "pairs.jsonl", R"({"prompt":"Tom","chosen":"tea.","rejected":"tea."})");
  EXPECT_TRUE(contains(error_of([&] { run_align(config("dpo", "run"), listener.console()); }),
                       "no preference to learn from (1 undecided"));
}

TEST_F(Align, AnswersTooLongForTheContextAreCountedAndLeftOut) {
  const std::string tale(80, 'a');
  std::string lines = read_file(scratch_ / "pairs.jsonl");
  overwrite(scratch_ / "pairs.jsonl",
            concat(lines, R"({"prompt":"Tom","chosen":")", tale, R"(","rejected":"rain."})"));
  auto some = config("dpo", "some");
  some.train.steps = 1;
  Listener listener;
  run_align(some, listener.console());
  EXPECT_TRUE(
      contains(listener.text(),
               "left out: longer than 64 tokens (an answer with its prompt; align.context)"));
  some = config("dpo", "run");
  some.align.too_long = "refuse";
  EXPECT_TRUE(contains(error_of([&] { run_align(some, listener.console()); }), "longer context"));
}

TEST_F(Align, TheGradientDoesNotDependOnThePieces) {
  const Student model = student();
  const PreferenceSet set = pairs(model);
  ComparedSet data{.set = set, .reference = answer_log_probs(*model.model, set, 100)};
  for (double& each : data.reference) each += 0.3;
  std::vector<std::vector<float>> gradients;
  std::vector<double> losses;
  for (const int64_t tokens : {10, 100, 100000}) {
    PreferenceObjective objective(*model.model, data, nullptr,
                                  {.records_per_step = 8, .piece_tokens = tokens});
    losses.push_back(objective.accumulate(0)->loss);
    std::vector<float> all;
    model.model->visit([&](const Parameter& parameter) {
      for (const float x : parameter.value->grad().to_vector()) all.push_back(x);
      parameter.value->clear_grad();
    });
    gradients.push_back(all);
  }
  for (size_t i = 1; i < gradients.size(); ++i) {
    EXPECT_NEAR(losses[i], losses[0], 1e-6);
    ASSERT_EQ(gradients[i].size(), gradients[0].size());
    for (size_t j = 0; j < gradients[0].size(); ++j)
      ASSERT_NEAR(gradients[i][j], gradients[0][j], 1e-5);
  }
}

TEST_F(Align, WhatCannotBeUsedIsToldInOneLine) {
  Listener listener;
  auto missing = config("dpo", "run");
  missing.align.model = (scratch_ / "nowhere").string();
  EXPECT_TRUE(contains(error_of([&] { run_align(missing, listener.console()); }), "nowhere"));
  auto longer = config("dpo", "run");
  longer.align.context = 65;
  EXPECT_TRUE(contains(error_of([&] { run_align(longer, listener.console()); }), "at most 64"));
  overwrite(scratch_ / "judged.jsonl", R"({"prompt":"Tom","completion":"tea.","label":true})");
  auto judged = config("dpo", "run");
  judged.align.data = {(scratch_ / "judged.jsonl").string()};
  EXPECT_TRUE(contains(error_of([&] { run_align(judged, listener.console()); }), "line 1"));
  auto alone = config("kto", "run");
  alone.align.data = judged.align.data;
  EXPECT_TRUE(contains(error_of([&] { run_align(alone, listener.console()); }), "at least 2"));
  EXPECT_FALSE(fs::exists(scratch_ / "run/run.json"));
}

}  // namespace
}  // namespace malssi
