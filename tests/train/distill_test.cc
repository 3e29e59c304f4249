#include "train/tune/distill.h"

#include <gtest/gtest.h>

#include <csignal>

#include "base/error.h"
#include "train/resume.h"
#include "train/runs.h"
#include "train/tune/sft.h"

namespace malssi {
namespace {

// A teacher that was tuned on conversations, and a smaller student of the same tokenizer that was not.
class Distill : public testing::Test {
 protected:
  void SetUp() override {
    Listener listener;
    student_ = pretrained("small", 16, "char", listener);
    const fs::path large = pretrained("large", 32, "char", listener);
    std::string lines;
    for (int i = 0; i < 40; ++i)
      lines += R"({"messages":[{"role":"user","content":"Mina sees"},)"
               R"({"role":"assistant","content":"rain."}]})"
               "\n";
    overwrite(scratch_ / "chats.jsonl", lines);
    SftConfig tuned;
    tuned.sft.model = large.string();
    set(tuned, "teacher");
    teacher_ = run_sft(tuned, listener.console()).model;
  }

  fs::path pretrained(const std::string& out, int64_t width, const std::string& tokenizer,
                      Listener& listener) const {
    PretrainConfig config = little_config(scratch_, out);
    config.model.width = width;
    config.model.context = 64;
    config.tokenizer.kind = tokenizer;
    config.train.steps = 2;
    return run_pretrain(config, listener.console()).model;
  }

  template <class Config>
  void set(Config& config, const std::string& out) const {
    config.sft.data = {(scratch_ / "chats.jsonl").string()};
    config.optim.lr = 1e-2;
    config.optim.warmup_steps = 2;
    config.train.out = (scratch_ / out).string();
    config.train.compute = "f32";
    config.train.threads = 1;
    config.train.steps = 24;
    config.train.batch_rows = 2;
    config.train.eval_every = config.train.checkpoint_every = 8;
    config.log.every = 1;
    config.log.samples = 0;
  }

  DistillConfig config(const std::string& out) const {
    DistillConfig config;
    config.distill.teacher = teacher_.string();
    config.sft.model = student_.string();
    set(config, out);
    return config;
  }

  ScratchFolder scratch_;
  fs::path student_, teacher_;
};

TEST_F(Distill, BringsTheStudentNearItsTeacher) {
  Listener listener;
  DistillConfig soft = config("soft");
  soft.distill.temperature = 2;
  const RunResult result = run_distill(soft, listener.console());
  EXPECT_EQ(result.end, LoopEnd::finished);
  const auto metrics = read_metrics(scratch_ / "soft/metrics.jsonl");
  EXPECT_LT(metrics.back().val_loss, 0.3 * metrics.front().val_loss);
  EXPECT_EQ(load_model(result.model, DType::f32).model->config().width, 16);
}

TEST_F(Distill, OfTheDataAloneIsInstructionTuning) {
  Listener listener;
  DistillConfig hard = config("hard");
  hard.distill.hard = 1;
  run_distill(hard, listener.console());
  SftConfig tuned;
  tuned.sft.model = student_.string();
  set(tuned, "tuned");
  run_sft(tuned, listener.console());
  const auto one = read_metrics(scratch_ / "hard/metrics.jsonl");
  const auto other = read_metrics(scratch_ / "tuned/metrics.jsonl");
  ASSERT_EQ(one.size(), other.size());
  EXPECT_NEAR(one[1].loss, other[1].loss, 1e-4);
  EXPECT_NEAR(one.back().val_loss, other.back().val_loss, 1e-2);
}

TEST_F(Distill, StoppedAndResumedEndsWithTheSameWeights) {
  Listener quiet;
  const RunResult whole = run_distill(config("whole"), quiet.console());
  bool sent = false;
  Listener stopping([&](const std::string& text) {
    if (sent || text.find("step 8: validation") == text.npos) return;
    sent = true;
    std::raise(SIGTERM);
  });
  const RunResult part = run_distill(config("part"), stopping.console());
  ASSERT_EQ(part.end, LoopEnd::interrupted);
  const RunResult rest = resume_run(scratch_ / "part", {}, quiet.console());
  ASSERT_EQ(rest.end, LoopEnd::finished);
  EXPECT_EQ(weights_of(rest.model), weights_of(whole.model));
}

TEST_F(Distill, RefusesATeacherOfAnotherTokenizer) {
  Listener listener;
  DistillConfig other = config("other");
  other.distill.teacher = pretrained("bytes", 16, "byte", listener).string();
  try {
    run_distill(other, listener.console());
    FAIL() << "it was taken";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("needs one tokenizer"), std::string::npos)
        << error.what();
  }
  EXPECT_FALSE(fs::exists(scratch_ / "other/run.json"));
}

}  // namespace
}  // namespace malssi
