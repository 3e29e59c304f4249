#include <gtest/gtest.h>

#include <cmath>

#include "base/json.h"
#include "io/weight_files.h"
#include "models/value_head.h"
#include "train/align/align.h"
#include "train/align/calibration.h"
#include "train/align/reward_objective.h"
#include "train/resume.h"
#include "train/runs.h"
#include "train/tune/student.h"

namespace malssi {
namespace {

class Reward : public testing::Test {
 protected:
  void SetUp() override {
    auto config = little_config(scratch_, "base");
    config.model.context = 64;
    config.model.tied = false;
    config.train.steps = 2;
    Listener listener;
    base_ = with_chat(run_pretrain(config, listener.console()).model, scratch_ / "chat");
    std::string lines;
    for (const char* name : {"Mina", "Tom", "Ara", "Juno"})
      for (const char* thing : {"cat", "boat", "sea", "tea", "rain", "likes", "sees", "a boat"})
        lines += concat(R"({"prompt":")", name, " sees ", thing,
                        R"(","ranked":["tea.","a cat.","rain."]})", "\n");
    overwrite(scratch_ / "ranked.jsonl", lines);
  }

  AlignConfig config(const std::string& out) const {
    AlignConfig config("reward");
    config.align.model = base_.string();
    config.align.data = {(scratch_ / "ranked.jsonl").string()};
    config.align.val_fraction = 0.25;
    config.optim.lr = 1e-2;
    config.optim.warmup_steps = 2;
    config.train.out = (scratch_ / out).string();
    config.train.compute = "f32";
    config.train.threads = 1;
    config.train.steps = 30;
    config.train.batch_rows = 4;
    config.train.micro_batch_tokens = 150;
    config.train.eval_every = 10;
    config.train.checkpoint_every = 10;
    config.log.every = 1;
    return config;
  }

  ScratchFolder scratch_;
  fs::path base_;
};

TEST_F(Reward, AnAdapterLearnsAnOrderAndBringsItsValueHead) {
  Listener listener;
  auto adapted = config("judge");
  adapted.align.lora = true;
  adapted.lora.targets = "all-linear";
  const RunResult result = run_align(adapted, listener.console());
  EXPECT_GT(read_metrics(scratch_ / "judge/metrics.jsonl").back().figure("val_reward_accuracy"),
            0.95);
  const AdapterFile file = open_adapter(result.model);
  EXPECT_EQ(file.head.at(0).value.shape(), (Shape{1, 16}));
  EXPECT_EQ(file.labels(), 1);
  LoadedModel base = load_model(base_, DType::f32);
  EXPECT_TRUE(
      contains(error_of([&] { attach_adapter(*base.model, result.model); }), "reward model"));
  const auto judge = with_value_head(std::move(base.model));
  const int64_t adapter = attach_adapter(*judge, result.model);
  const std::vector<Preference> asked = {
      {.prompt = {{"user", "Tom"}},
       .answers = {{{"assistant", "tea."}}, {{"assistant", "rain."}}}}};
  const PreferenceSet set(asked, *base.tokenizer, ChatTemplate(), {.context = 63});
  const std::vector<double> said = rewards(*judge, set, 100, {{.adapter = adapter}});
  EXPECT_GT(said[0], said[1]);
  EXPECT_EQ(resume_run(scratch_ / "judge", {}, listener.console()).end, LoopEnd::finished);
}

TEST_F(Reward, LearnsAnOrderAndSavesAClassifierOfOneLabel) {
  Listener listener;
  const RunResult result = run_align(config("judge"), listener.console());
  const auto metrics = read_metrics(scratch_ / "judge/metrics.jsonl");
  EXPECT_NEAR(metrics[1].loss, std::log(2.0), 1e-6);
  EXPECT_GT(metrics.back().figure("val_reward_accuracy"), 0.95);
  EXPECT_LT(metrics.back().figure("val_reward_accuracy_low"),
            metrics.back().figure("val_reward_accuracy"));
  EXPECT_TRUE(contains(listener.text(), "95% interval"));
  const Json json = load_json(result.model / "config.json");
  EXPECT_TRUE(contains(dump_json(json["architectures"]), "ForSequenceClassification"));
  EXPECT_EQ(json["num_labels"], 1);
  const WeightFiles weights = WeightFiles::open(result.model);
  EXPECT_TRUE(weights.find("score.weight"));
  EXPECT_FALSE(weights.find("lm_head.weight"));
  const LoadedModel judge = load_model(result.model, DType::f32);
  ASSERT_TRUE(has_value_head(*judge.model));
  const std::vector<Preference> asked = {
      {.prompt = {{"user", "Tom"}},
       .answers = {{{"assistant", "tea."}}, {{"assistant", "rain."}}}}};
  const PreferenceSet set(asked, *judge.tokenizer, *judge.chat, {.context = 63});
  const std::vector<double> said = rewards(*judge.model, set, 100);
  EXPECT_GT(said[0], said[1]);
}

TEST_F(Reward, StoppedAndResumedEndsWithTheSameWeights) {
  Listener quiet;
  const RunResult whole = run_align(config("whole"), quiet.console());
  auto half = config("parts");
  half.optim.schedule = "constant";
  auto full = config("straight");
  full.optim.schedule = "constant";
  half.train.steps = 10;
  run_align(half, quiet.console());
  const RunResult straight = run_align(full, quiet.console());
  const RunResult resumed = resume_run(scratch_ / "parts", {"train.steps=30"}, quiet.console());
  EXPECT_EQ(weights_of(resumed.model), weights_of(straight.model));
  EXPECT_NE(weights_of(resumed.model), weights_of(whole.model));
}

TEST_F(Reward, ARankingWeighsAsMuchAsAPair) {
  Student judge = load_student(base_, {});
  judge.model = with_value_head(std::move(judge.model));
  const std::vector<Preference> records = {
      {.prompt = {{"user", "Tom"}}, .answers = {{{"assistant", "tea."}}, {{"assistant", "rain."}}}},
      {.prompt = {{"user", "Ara"}},
       .answers = {{{"assistant", "tea."}},
                   {{"assistant", "a cat."}},
                   {{"assistant", "the sea."}},
                   {{"assistant", "rain."}}}}};
  const PreferenceSet set(records, *judge.tokenizer, judge.chat, {.context = 63});
  RewardObjective objective(*judge.model, set, &set, {.records_per_step = 2});
  // All rewards are 0 at first: each pair's loss is ln 2, whatever its record.
  EXPECT_NEAR(objective.accumulate(0)->loss, std::log(2.0), 1e-6);
  EXPECT_NEAR(*objective.validate().loss, std::log(2.0), 1e-6);
}

TEST_F(Reward, WritesNoAnswers) {
  auto short_run = config("judge");
  short_run.train.steps = 1;
  Listener listener;
  const RunResult result = run_align(short_run, listener.console());
  AlignConfig dpo("dpo");
  dpo.align.model = result.model.string();
  dpo.align.data = short_run.align.data;
  dpo.train.out = (scratch_ / "dpo").string();
  EXPECT_TRUE(contains(error_of([&] { run_align(dpo, listener.console()); }), "reward model"));
}

TEST(ValueHead, IsReadFromConfigsOfOneLabelAlone) {
  const auto reads = [](std::string_view text) {
    return value_head_from_hf(parse_json(text, "config.json"), "config.json");
  };
  EXPECT_FALSE(reads(R"({"architectures": ["LlamaForCausalLM"]})"));
  EXPECT_FALSE(reads("{}"));
  EXPECT_TRUE(
      reads(R"({"architectures": ["LlamaForSequenceClassification"], "id2label": {"0": "x"}})"));
  EXPECT_FALSE(reads(R"({"architectures": ["LlamaForSequenceClassification"]})"));  // two labels
  EXPECT_FALSE(reads(R"({"architectures": ["LlamaForSequenceClassification"], "num_labels": 1,)"
                     R"( "problem_type": "regression"})"));
}

TEST(Calibration, IsHowFarConfidenceIsFromTheShareThatIsRight) {
  Calibration sure;
  for (int i = 0; i < 10; ++i) sure.add(i < 5 ? 0.9 : 0.1);  // sure, and right half of the time
  EXPECT_NEAR(sure.error(), 0.4, 1e-9);
  Calibration fair;
  for (int i = 0; i < 10; ++i) fair.add(i < 8 ? 0.8 : 0.2);
  EXPECT_NEAR(fair.error(), 0, 1e-9);
  EXPECT_EQ(Calibration().error(), 0);
}

TEST(Calibration, TheIntervalIsWilsons) {
  const Interval half = share_interval(0.5, 100);  // 0.4038 to 0.5962 in the literature
  EXPECT_NEAR(half.low, 0.4038, 1e-4);
  EXPECT_NEAR(half.high, 0.5962, 1e-4);
  EXPECT_NEAR(share_interval(1, 10).low, 0.7225, 1e-4);
  EXPECT_EQ(share_interval(0.5, 0).high, 1);
}

}  // namespace
}  // namespace malssi
