#include "train/tune/sft.h"

#include <gtest/gtest.h>

#include <csignal>

#include "data/sft.h"
#include "train/pretrain/grow.h"
#include "train/resume.h"
#include "train/runs.h"

namespace malssi {
namespace {

// A base model without any token for chats, and conversations to tune it on.
class Sft : public testing::Test {
 protected:
  void SetUp() override {
    Listener listener;
    base_ = little_base(scratch_, listener.console());
    std::string lines;
    for (int i = 0; i < 40; ++i) {
      lines += R"({"messages":[{"role":"user","content":"Mina sees a cat"},)"
               R"({"role":"assistant","content":"tea."},{"role":"user","content":"Tom"},)"
               R"({"role":"assistant","content":"rain."}]})"
               "\n";
    }
    overwrite(scratch_ / "chats.jsonl", lines);
  }

  SftConfig config(const std::string& out) const {
    SftConfig config;
    config.sft.model = base_.string();
    config.sft.data = {(scratch_ / "chats.jsonl").string()};
    config.sft.epochs = 6;
    config.optim.lr = 1e-2;
    config.train.out = (scratch_ / out).string();
    config.train.compute = "f32";
    config.train.threads = 1;
    config.train.batch_rows = 2;
    config.train.eval_every = 8;
    config.train.checkpoint_every = 8;
    config.log.every = 1;
    config.log.samples = 0;
    return config;
  }

  ScratchFolder scratch_;
  fs::path base_;
};

TEST_F(Sft, MakesAModelWithAChatTemplateThatLearnedItsAnswers) {
  Listener listener;
  const RunResult result = run_sft(config("run"), listener.console());
  EXPECT_EQ(result.end, LoopEnd::finished);
  const LoadedModel tuned = load_model(result.model, DType::f32);
  ASSERT_TRUE(tuned.chat);
  for (const std::string& token : tuned.chat->special_tokens())
    EXPECT_TRUE(tuned.tokenizer->token_id(token)) << token;
  EXPECT_GT(tuned.model->config().vocab, load_model(base_, DType::f32).model->config().vocab);
  const auto metrics = read_metrics(scratch_ / "run/metrics.jsonl");
  EXPECT_LT(metrics.back().val_loss, 0.5 * metrics.front().val_loss);
}

TEST_F(Sft, LearnsTheAssistantsWordsAndTheEndOfEachTurnAlone) {
  const LoadedModel base = load_model(base_, DType::f32);
  const ChatTemplate chat;
  for (const std::string& token : chat.special_tokens()) base.tokenizer->add_special(token);
  const SftData data = load_sft(scratch_ / "chats.jsonl");
  const ChatSet chats(data.conversations, *base.tokenizer, chat, {.context = 64});
  SftBatches batches(chats, {.rows = 2});
  const Batch batch = batches.next();
  std::vector<int32_t> learned;
  for (size_t i = 0; i < batch.ids.size(); ++i)
    if (batch.weights[i] > 0) learned.push_back(batch.targets[i]);
  const std::string end = chat.stop_tokens().front();
  const std::string turn = "tea." + end + "rain." + end;
  const std::string text = base.tokenizer->decode(learned);
  EXPECT_EQ(text.substr(0, turn.size()), turn);
  std::string all;
  while (all.size() < text.size()) all += turn;
  EXPECT_EQ(text, all);
}

TEST_F(Sft, StoppedAndResumedEndsWithTheSameWeights) {
  Listener quiet;
  const RunResult whole = run_sft(config("whole"), quiet.console());
  bool sent = false;
  Listener listener([&](const std::string& text) {
    if (sent || !contains(text, "step 8: validation")) return;
    sent = true;
    std::raise(SIGTERM);
  });
  ASSERT_EQ(run_sft(config("parts"), listener.console()).end, LoopEnd::interrupted);
  fs::rename(base_, scratch_ / "moved");  // all that is needed lies in the checkpoint
  const RunResult resumed = resume_run(scratch_ / "parts", {}, quiet.console());
  EXPECT_EQ(weights_of(resumed.model), weights_of(whole.model));
}

TEST_F(Sft, NewTokensChangeNoProbabilityAmongTheOldOnes) {
  const LoadedModel base = load_model(base_, DType::f32);
  const int64_t vocab = base.model->config().vocab;
  const std::unique_ptr<Model> larger = grown(*base.model, {.vocab = vocab + 3, .dropout = 0});
  EXPECT_EQ(larger->config().vocab, vocab + 3);
  const std::vector<int32_t> ids = {1, 2, 3};
  CausalBatch context({0, 3});
  const Tensor before = base.model->logits(base.model->hidden(ids, context));
  const Tensor after = larger->logits(larger->hidden(ids, context));
  for (int64_t i = 0; i < vocab; ++i) EXPECT_EQ(before.f32()[i], after.f32()[i]);
}

TEST_F(Sft, WhatCannotBeUsedIsToldInOneLine) {
  Listener listener;
  auto missing = config("run");
  missing.sft.model = (scratch_ / "nowhere").string();
  EXPECT_TRUE(contains(error_of([&] { run_sft(missing, listener.console()); }), "nowhere"));
  auto empty = config("run");
  overwrite(scratch_ / "empty.jsonl", "");
  empty.sft.data = {(scratch_ / "empty.jsonl").string()};
  EXPECT_TRUE(contains(error_of([&] { run_sft(empty, listener.console()); }), "empty.jsonl"));
  auto longer = config("run");
  longer.sft.context = 65;
  EXPECT_TRUE(contains(error_of([&] { run_sft(longer, listener.console()); }), "at most 64"));
  EXPECT_FALSE(fs::exists(scratch_ / "run/run.json"));
}

}  // namespace
}  // namespace malssi
