// Everything that distillation can be told: the keys of RUN/config.toml and the flags of `malssi tune distill`.
#pragma once

#include <string>

#include "train/tune/sft_config.h"

namespace malssi {

// [distill]
struct DistillSettings {
  std::string teacher = "";
  double temperature = 1;
  double hard = 0;

  template <class V>
  void visit(V& v) {
    v("teacher", teacher,
      "the model to learn from: a Hugging Face folder, the folder of a run, or a GGUF file");
    v("temperature", temperature, "of both distributions; above 1 unlikely tokens count more",
      above(0));
    v("hard", hard, "the part of the loss that is the data's own next token, not the teacher's",
      between(0, 1));
  }
};

struct DistillConfig {
  DistillSettings distill;
  SftSettings sft;
  OptimSettings optim;
  TrainSettings train;
  LogSettings log;

  DistillConfig() { suit_tuning(optim, train); }

  template <class V>
  void visit(V& v) {
    v("distill", distill);
    v("sft", sft);
    v("optim", optim);
    v("train", train);
    v("log", log);
  }
  // Rules that span fields; throws Error.
  void check() const;
};

}  // namespace malssi
