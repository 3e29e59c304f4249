#include "train/rl/ppo_config.h"

#include "base/error.h"

namespace malssi {

PpoConfig::PpoConfig() {
  optim.lr = 1e-6;
  optim.min_lr = 0;
  optim.schedule = "linear";
  optim.warmup_steps = 10;
  optim.weight_decay = 0;
  optim.beta2 = 0.95;
  optim.eps = 1e-5;
  train.steps = 0;  // by epochs
  train.batch_rows = 16;
  train.micro_batch_tokens = 2048;
  train.eval_every = 50;
  train.eval_rows = 64;
  train.checkpoint_every = 50;
  log.every = 4;
  log.samples = 4;
  log.sample_prompt = "";
}

void PpoConfig::check() const {
  optim.check();
  REQUIRE(!ppo.model.empty(), "no model to align: give --model DIR (ppo.model)");
  REQUIRE(!ppo.data.empty(), "no prompts to answer: give --data FILE (ppo.data)");
  REQUIRE(!ppo.reward.empty(),
          "nothing says how good an answer is: give --reward DIR (ppo.reward), a reward model");
  REQUIRE(!train.out.empty(), "no folder for the result: give --out DIR (train.out)");
  REQUIRE(ppo.answers % train.batch_rows == 0 && ppo.answers % ppo.answers_per_prompt == 0,
          "ppo.answers = ", ppo.answers,
          " must be a multiple of train.batch_rows = ", train.batch_rows,
          " and of ppo.answers_per_prompt = ", ppo.answers_per_prompt);
}

}  // namespace malssi
