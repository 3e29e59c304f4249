#include "train/rl/grpo_config.h"

#include "base/error.h"

namespace malssi {

GrpoConfig::GrpoConfig() {
  optim.lr = 1e-6;
  optim.min_lr = 0;
  optim.schedule = "constant";
  optim.weight_decay = 0;
  optim.beta2 = 0.99;
  train.steps = 0;  // by epochs
  train.batch_rows = 8;
  train.micro_batch_tokens = 2048;
  train.eval_every = 20;
  train.eval_rows = 200;
  train.checkpoint_every = 20;
  log.every = 1;
  log.samples = 4;
  log.sample_temperature = 0;
}

void GrpoConfig::check() const {
  optim.check();
  REQUIRE(!grpo.model.empty(), "no model to train: give --model DIR (grpo.model)");
  REQUIRE(!grpo.data.empty(), "no prompts to learn from: give --data FILE (grpo.data)");
  REQUIRE(!train.out.empty(), "no folder for the result: give --out DIR (train.out)");
  REQUIRE(grpo.group >= grpo.method.least_group(), "grpo.group = ", grpo.group, ": the loss ",
          grpo.method.loss, " compares the answers to a prompt with each other and needs ",
          grpo.method.least_group(), " at least");
  REQUIRE(grpo.mini_batches <= train.batch_rows * grpo.group,
          "grpo.mini_batches = ", grpo.mini_batches, " is more than the ",
          train.batch_rows * grpo.group, " answers of a rollout (train.batch_rows x grpo.group)");
  reward_weights(reward);
}

}  // namespace malssi
