#include "train/tune/classify_config.h"

#include "base/error.h"

namespace malssi {

ClassifyConfig::ClassifyConfig() {
  optim.lr = 2e-4;
  optim.min_lr = 0;
  optim.schedule = "linear";
  optim.warmup_steps = 50;
  optim.weight_decay = 0.01;
  optim.beta2 = 0.99;
  train.steps = 0;  // by epochs
  train.batch_rows = 32;
  train.eval_every = 200;
  train.eval_rows = 0;
  train.checkpoint_every = 200;
  log.samples = 0;
}

void ClassifyConfig::check() const {
  optim.check();
  REQUIRE(!classify.model.empty(), "no model to tune: give --model DIR (classify.model)");
  REQUIRE(!classify.data.empty(), "no labelled texts: give --data FILE (classify.data)");
  REQUIRE(!train.out.empty(), "no folder for the result: give --out DIR (train.out)");
  REQUIRE(!classify.is_regression() || classify.class_weights == "none",
          "classify.class_weights = balanced: a regression has no classes");
  REQUIRE(!classify.is_regression() || classify.ngrams == "none",
          "classify.ngrams: they are counted by class, and a regression has no classes");
}

}  // namespace malssi
