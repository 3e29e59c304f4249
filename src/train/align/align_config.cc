#include "train/align/align_config.h"

#include "base/error.h"

namespace malssi {

AlignConfig::AlignConfig(const std::string& method) {
  align.method.name = method;
  if (method == "simpo") align.method.beta = 2;
  optim.lr = method == "orpo" ? 8e-6 : method == "reward" ? 1e-5 : 1e-6;
  optim.min_lr = 0;
  optim.schedule = "linear";
  optim.warmup_steps = 20;
  optim.weight_decay = 0;
  optim.beta2 = 0.99;
  train.steps = 0;  // by epochs
  train.batch_rows = 16;
  train.micro_batch_tokens = 2048;
  train.eval_every = 100;
  train.eval_rows = 500;
  train.checkpoint_every = 100;
  log.sample_prompt = "";
}

void AlignConfig::check() const {
  optim.check();
  REQUIRE(!align.model.empty(), "no model to align: give --model DIR (align.model)");
  REQUIRE(!align.data.empty(), "no preferences to learn from: give --data FILE (align.data)");
  REQUIRE(!train.out.empty(), "no folder for the result: give --out DIR (train.out)");
}

}  // namespace malssi
