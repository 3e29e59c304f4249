// When a run computes its blocks again for the gradients.
#include <gtest/gtest.h>

#include "train/resume.h"
#include "train/run/recompute.h"
#include "train/runs.h"

namespace malssi {
namespace {

TEST(RecomputeChoice, AutoKeepsEverythingWhereMemoryIsEnough) {
  ModelConfig config;
  config.vocab = 40;
  const auto model = make_model(config, DType::f32, 1);
  const Trained trained{
      .kind = "model", .parameters = parameters_of(*model), .write = {}, .read = {}};
  TrainSettings train;
  train.micro_batch_tokens = 1000;
  const auto kept = [&](int64_t memory) {
    return kept_for_backward(train, {}, trained, *model, memory);
  };
  const int64_t activations = 1000 * kept_bytes_per_token(*model);
  const int64_t standing = 20 * model->parameter_count();  // in f32 with AdamW's moments
  EXPECT_EQ(kept(standing + 3 * activations), KeepForBackward::everything);
  EXPECT_EQ(kept(standing + activations), KeepForBackward::block_inputs);
  train.recompute = "off";
  EXPECT_EQ(kept(0), KeepForBackward::everything);
  train.recompute = "on";
  EXPECT_EQ(kept(int64_t{1} << 50), KeepForBackward::block_inputs);
}

TEST(RecomputeChoice, ARunEndsWithTheSameWeightsEitherWay) {
  const ScratchFolder scratch;
  Listener listener;
  const auto weights = [&](const std::string& recompute) {
    PretrainConfig config = little_config(scratch, recompute);
    config.model.dropout = 0.1;
    config.train.recompute = recompute;
    return weights_of(run_pretrain(config, listener.console()).model);
  };
  EXPECT_EQ(weights("on"), weights("off"));
}

}  // namespace
}  // namespace malssi
