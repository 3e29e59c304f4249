#include "train/pretrain/pretrain.h"

#include <gtest/gtest.h>

#include <cmath>
#include <csignal>

#include "base/lock.h"
#include "io/checkpoint.h"
#include "train/resume.h"
#include "train/run/journal.h"
#include "train/runs.h"

namespace malssi {
namespace {

// Runs until the console says `words`, then asks it to stop as Ctrl-C does.
RunResult run_until(const PretrainConfig& config, const std::string& words) {
  bool sent = false;
  Listener listener([&](const std::string& text) {
    if (sent || !contains(text, words)) return;
    sent = true;
    std::raise(SIGINT);
  });
  return run_pretrain(config, listener.console());
}

RunResult resume(const fs::path& run, const std::vector<std::string>& settings = {}) {
  Listener listener;
  return resume_run(run, settings, listener.console());
}

RunResult train(const PretrainConfig& config) {
  Listener listener;
  return run_pretrain(config, listener.console());
}

TEST(Pretrain, LeavesAModelRecordsAndAReport) {
  const ScratchFolder scratch;
  auto config = little_config(scratch, "run");
  config.log.samples = 1;
  config.log.sample_tokens = 8;
  Listener listener;
  const RunResult result = run_pretrain(config, listener.console());
  EXPECT_EQ(result.end, LoopEnd::finished);
  const fs::path run = scratch / "run";
  EXPECT_EQ(result.model, run / "model");
  EXPECT_EQ(load_model(result.model, DType::f32).model->config().width, 16);
  const auto metrics = read_metrics(run / "metrics.jsonl");
  ASSERT_EQ(metrics.size(), 13u);  // steps 0 .. 12
  EXPECT_LT(metrics.back().val_loss, metrics.front().val_loss);
  EXPECT_GT(metrics.back().figure("utilisation"), 0);
  EXPECT_TRUE(contains(read_file(run / "report.html"), "<svg"));
  EXPECT_FALSE(read_samples(run / "samples.jsonl", {}).empty());
  for (const char* word : {"parameters", "tokens", "FLOP", "validation loss"})
    EXPECT_TRUE(contains(listener.text(), word)) << listener.text();
}

// Goes on from the run "first" on windows of `context` tokens.
PretrainConfig further(const ScratchFolder& scratch, const std::string& out, int64_t context) {
  PretrainConfig config = little_config(scratch, out);
  config.model.from = (scratch / "first").string();
  config.model.layers = 7;  // the model's own hold
  config.model.context = context;
  config.optim.lr = 1e-3;
  return config;
}

TEST(Pretrain, GoesOnFromAModelWithItsTokenizerAndALongerContext) {
  const ScratchFolder scratch;
  const RunResult first = train(little_config(scratch, "first"));
  const double before = read_metrics(scratch / "first/metrics.jsonl").back().val_loss;
  const RunResult same = train(further(scratch, "same", 8));
  EXPECT_EQ(load_model(same.model, DType::f32).model->config().context, 16);
  const LoadedModel longer = load_model(train(further(scratch, "longer", 64)).model, DType::f32);
  const ModelConfig& config = longer.model->config();
  EXPECT_EQ(config.context, 64);
  EXPECT_EQ(config.layers, 2);
  EXPECT_NEAR(config.rope_theta, 10000 * std::pow(4, 8.0 / 6), 1);
  EXPECT_EQ(longer.tokenizer->to_json(), load_tokenizer(first.model)->to_json());
  const auto metrics = read_metrics(scratch / "longer/metrics.jsonl");
  EXPECT_LT(metrics.front().val_loss, before + 0.3);
  EXPECT_LT(metrics.back().val_loss, before);
}

TEST(Pretrain, GoingOnIsResumedWithoutTheModelItCameFrom) {
  const ScratchFolder scratch;
  train(little_config(scratch, "first"));
  const RunResult whole = train(further(scratch, "whole", 32));
  ASSERT_EQ(run_until(further(scratch, "parts", 32), "step 6: validation").end,
            LoopEnd::interrupted);
  fs::rename(scratch / "first", scratch / "moved");
  EXPECT_EQ(weights_of(resume(scratch / "parts").model), weights_of(whole.model));
}

TEST(Pretrain, LearnedPositionsDoNotBecomeMore) {
  const ScratchFolder scratch;
  auto first = little_config(scratch, "first");
  first.model.family = "gpt2";
  train(first);
  const std::string message = error_of([&] { train(further(scratch, "longer", 64)); });
  EXPECT_TRUE(contains(message, "the model takes 16, and its positions are learned")) << message;
  EXPECT_FALSE(fs::exists(scratch / "longer/run.json"));
}

TEST(Pretrain, TheSameSeedGivesTheSameWeightsAnotherSeedOthers) {
  const ScratchFolder scratch;
  std::vector<std::string> weights;
  for (const auto& [out, seed] : {std::pair{"a", 5}, {"b", 5}, {"c", 6}}) {
    auto config = little_config(scratch, out);
    config.train.seed = seed;
    weights.push_back(weights_of(train(config).model));
  }
  EXPECT_EQ(weights[0], weights[1]);
  EXPECT_NE(weights[0], weights[2]);
}

// Interrupted where `words` were told and resumed: all that a run leaves must be as undisturbed.
void expect_same_when_interrupted(const std::string& optimiser, const std::string& compute,
                                  const std::string& words) {
  const ScratchFolder scratch;
  auto config = little_config(scratch, "whole");
  config.optim.name = optimiser;
  config.train.compute = compute;
  config.model.dropout = 0.1;
  const RunResult whole = train(config);
  config.train.out = (scratch / "parts").string();
  const RunResult parts = run_until(config, words);
  ASSERT_EQ(parts.end, LoopEnd::interrupted) << words;
  const RunResult resumed = resume(config.train.out);
  ASSERT_EQ(resumed.end, LoopEnd::finished);
  EXPECT_EQ(weights_of(resumed.model), weights_of(whole.model));
  EXPECT_EQ(resumed.state.best_step, whole.state.best_step);
  EXPECT_EQ(resumed.state.best_loss, whole.state.best_loss);
  const auto one = read_metrics(scratch / "whole/metrics.jsonl");
  const auto other = read_metrics(scratch / "parts/metrics.jsonl");
  ASSERT_EQ(one.size(), other.size());
  for (size_t i = 0; i < one.size(); ++i) {
    EXPECT_EQ(one[i].step, other[i].step);
    EXPECT_EQ(std::isnan(one[i].val_loss), std::isnan(other[i].val_loss));
    if (i > 0) {
      EXPECT_EQ(one[i].loss, other[i].loss) << one[i].step;
    }
  }
}

TEST(Pretrain, InterruptedAndResumedEndsWithTheWeightsOfAnUndisturbedRun) {
  expect_same_when_interrupted("adamw", "f32", "step 0: validation");
  expect_same_when_interrupted("muon", "bf16", "step 6: validation");
}

TEST(Pretrain, ARunThatWasKilledBeforeItsFirstCheckpointBeginsAgain) {
  const ScratchFolder scratch;
  auto config = little_config(scratch, "run");
  const RunResult whole = train(config);
  const std::string weights = weights_of(whole.model);
  fs::remove_all(scratch / "run/checkpoints");
  fs::remove_all(scratch / "run/model");
  EXPECT_EQ(weights_of(resume(scratch / "run").model), weights);
}

TEST(Pretrain, ADamagedCheckpointIsPassedOver) {
  const ScratchFolder scratch;
  const RunResult whole = train(little_config(scratch, "run"));
  const std::string weights = weights_of(whole.model);
  const fs::path newest = checkpoint_folder(scratch / "run", 12);
  overwrite(newest / "train_state.json", "{}");
  Listener listener;
  resume_run(scratch / "run", {}, listener.console());
  EXPECT_TRUE(contains(listener.text(), newest.filename().string())) << listener.text();
  EXPECT_EQ(weights_of(scratch / "run/model"), weights);
}

TEST(Pretrain, ResumingMayAskForMoreSteps) {
  const ScratchFolder scratch;
  train(little_config(scratch, "run"));
  const RunResult longer = resume(scratch / "run", {"train.steps=16"});
  EXPECT_EQ(longer.state.step, 16);
  EXPECT_EQ(resume(scratch / "run").state.step, 16);
}

TEST(Pretrain, AFolderWithARunIsRefusedAndLeftAlone) {
  const ScratchFolder scratch;
  const auto config = little_config(scratch, "run");
  const std::string weights = weights_of(train(config).model);
  const std::string message = error_of([&] { train(config); });
  EXPECT_TRUE(contains(message, "malssi resume")) << message;
  EXPECT_EQ(weights_of(scratch / "run/model"), weights);
}

TEST(Pretrain, TwoRunsOnOneFolderAreRefused) {
  const ScratchFolder scratch;
  const auto config = little_config(scratch, "run");
  {
    const FolderLock held(scratch / "run");
    EXPECT_TRUE(contains(error_of([&] { train(config); }), "another"));
  }
  train(config);
  const FolderLock held(scratch / "run");
  EXPECT_TRUE(contains(error_of([&] { resume(scratch / "run"); }), "another"));
}

TEST(Pretrain, ALearningRateThatDestroysTheWeightsEndsInAClearError) {
  const ScratchFolder scratch;
  auto config = little_config(scratch, "run");
  config.optim.lr = 1e30;
  config.train.steps = 40;
  config.train.bad_steps = 5;
  config.train.eval_every = 0;
  Listener listener;
  const std::string message = error_of([&] { run_pretrain(config, listener.console()); });
  EXPECT_TRUE(contains(message, "5 steps in a row")) << message << listener.text();
  EXPECT_TRUE(is_one_line(message));
  EXPECT_TRUE(contains(listener.text(), "skipped"));
  EXPECT_FALSE(fs::exists(scratch / "run/model"));
  EXPECT_FALSE(fs::exists(scratch / "run/best"));
}

TEST(Pretrain, ImpossibleShapesAreToldBeforeAnythingIsWritten) {
  const ScratchFolder scratch;
  auto config = little_config(scratch, "run");
  config.model.heads = 3;
  const std::string message = error_of([&] { train(config); });
  EXPECT_TRUE(contains(message, "16") && contains(message, "3")) << message;
  EXPECT_FALSE(fs::exists(scratch / "run"));
}

TEST(Pretrain, SequencesLongerThanTheDataAreRefused) {
  const ScratchFolder scratch;
  auto config = little_config(scratch, "run");
  config.model.context = 1 << 20;
  const std::string message = error_of([&] { train(config); });
  EXPECT_TRUE(contains(message, "context")) << message;
  EXPECT_FALSE(fs::exists(scratch / "run/run.json"));
}

TEST(Pretrain, TrainingInBf16AgreesWithF32) {
  const ScratchFolder scratch;
  std::vector<double> losses;
  for (const std::string compute : {"f32", "bf16"}) {
    auto config = little_config(scratch, compute);
    config.train.compute = compute;
    config.train.steps = 60;
    config.train.checkpoint_every = 0;
    config.train.eval_every = 0;
    losses.push_back(train(config).state.best_loss);
  }
  EXPECT_NEAR(losses[0] / losses[1], 1, 0.01);
}

}  // namespace
}  // namespace malssi
