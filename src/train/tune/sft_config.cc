#include "train/tune/sft_config.h"

#include "base/error.h"

namespace malssi {

void suit_tuning(OptimSettings& optim, TrainSettings& train) {
  optim.lr = 2e-4;
  optim.min_lr = 0;
  optim.schedule = "linear";
  optim.warmup_steps = 20;
  optim.weight_decay = 0.01;
  optim.beta2 = 0.99;
  train.steps = 0;  // by epochs
  train.batch_rows = 8;
  train.eval_every = 100;
  train.eval_rows = 500;
  train.checkpoint_every = 100;
}

void ConversationSettings::check(const TrainSettings& train) const {
  REQUIRE(!model.empty(), "no model to tune: give --model DIR (sft.model)");
  REQUIRE(!data.empty(), "no conversations to learn from: give --data FILE (sft.data)");
  REQUIRE(!train.out.empty(), "no folder for the result: give --out DIR (train.out)");
}

void SftConfig::check() const {
  optim.check();
  sft.check(train);
}

}  // namespace malssi
