// Adapters beside a base that is packed while it is loaded.
#include <gtest/gtest.h>

#include <csignal>

#include "train/resume.h"
#include "train/runs.h"
#include "train/tune/lora.h"
#include "train/tune/sft.h"

namespace malssi {
namespace {

// A small chat model whose rows are whole blocks of 64, and conversations that want one answer of it.
class QLora : public testing::Test {
 protected:
  void SetUp() override {
    Listener listener;
    PretrainConfig config = little_config(scratch_, "pretrained");
    config.model.width = 64;
    config.model.hidden = 128;
    config.model.context = 64;
    config.train.steps = 4;
    const fs::path pretrained = run_pretrain(config, listener.console()).model;
    std::string lines;
    for (int i = 0; i < 40; ++i)
      lines += R"({"messages":[{"role":"user","content":"Mina sees"},)"
               R"({"role":"assistant","content":"rain."}]})"
               "\n";
    overwrite(scratch_ / "chats.jsonl", lines);
    SftConfig tuned;
    tuned.sft.model = pretrained.string();
    set(tuned.sft, tuned.train, tuned.log, "tuned");
    tuned.train.steps = 2;
    base_ = run_sft(tuned, listener.console()).model;
  }

  void set(ConversationSettings& data, TrainSettings& train, LogSettings& log,
           const std::string& out) const {
    data.data = {(scratch_ / "chats.jsonl").string()};
    train.out = (scratch_ / out).string();
    train.compute = "f32";
    train.threads = 1;
    train.steps = 24;
    train.batch_rows = 4;
    train.eval_every = train.checkpoint_every = 8;
    log.every = 1;
    log.samples = 0;
  }

  LoraConfig config(const std::string& out, const std::string& base_type) const {
    LoraConfig config;
    config.lora = {.rank = 4, .alpha = 8, .targets = "all-linear", .base_type = base_type};
    config.sft.model = base_.string();
    config.optim.lr = 5e-3;
    config.optim.warmup_steps = 2;
    set(config.sft, config.train, config.log, out);
    return config;
  }

  ScratchFolder scratch_;
  fs::path base_;
};

TEST_F(QLora, LearnsBesideEachFormat) {
  for (const std::string type : {"nf4", "q8_0"}) {
    Listener listener;
    EXPECT_EQ(run_lora(config(type, type), listener.console()).end, LoopEnd::finished);
    const auto metrics = read_metrics(scratch_ / type / "metrics.jsonl");
    EXPECT_LT(metrics.back().val_loss, 0.95 * metrics.front().val_loss) << type;
  }
}

TEST_F(QLora, TablesStayAsTheyAreWhereThatIsAskedFor) {
  Listener listener;
  const auto first_loss = [&](const std::string& tables) {
    LoraConfig each = config("tables-" + tables, "nf4");
    each.lora.base_tables = tables;
    each.train.steps = 1;
    run_lora(each, listener.console());
    return read_metrics(scratch_ / each.train.out / "metrics.jsonl").back().loss;
  };
  const double as_matrices = first_loss("auto"), in_file = first_loss("file");
  EXPECT_EQ(as_matrices, first_loss("nf4"));
  EXPECT_NE(as_matrices, in_file);
  EXPECT_NEAR(first_loss("q8_0"), in_file, 0.01 * in_file);
}

TEST_F(QLora, StoppedAndResumedEndsWithTheSameNumbers) {
  Listener quiet;
  auto whole = config("whole", "nf4"), parts = config("parts", "nf4");
  whole.train.compute = parts.train.compute = "bf16";
  parts.train.recompute = "on";
  const RunResult straight = run_lora(whole, quiet.console());
  bool sent = false;
  Listener listener([&](const std::string& text) {
    if (sent || !contains(text, "step 8: validation")) return;
    sent = true;
    std::raise(SIGTERM);
  });
  ASSERT_EQ(run_lora(parts, listener.console()).end, LoopEnd::interrupted);
  const RunResult resumed = resume_run(parts.train.out, {}, quiet.console());
  EXPECT_EQ(read_file(resumed.model / "adapter_model.safetensors"),
            read_file(straight.model / "adapter_model.safetensors"));
}

TEST_F(QLora, AFormatWhoseBlocksDoNotFitIsToldInOneLine) {
  Listener listener;
  const std::string message =
      error_of([&] { run_lora(config("run", "q4_k"), listener.console()); });
  EXPECT_TRUE(is_one_line(message) && contains(message, "whole blocks of 256")) << message;
  EXPECT_FALSE(fs::exists(scratch_ / "run/run.json"));
}

}  // namespace
}  // namespace malssi
