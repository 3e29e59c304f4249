// Everything that reinforcement learning with verifiable rewards can be told: the keys of RUN/config.toml and the flags of
// `malssi align grpo`.
#pragma once

#include <cstdint>
#include <string>

#include "base/config.h"
#include "train/rl/rewards/make_rewards.h"
#include "train/rl/rl_method.h"
#include "train/rl/rl_prompt_settings.h"
#include "train/run/settings.h"
#include "train/tune/lora_config.h"

namespace malssi {

// [grpo]
struct GrpoSettings : RlPromptSettings {
  RlMethod method;
  int64_t group = 8, max_tokens = 256;
  double temperature = 1, top_p = 1;
  int64_t top_k = 0;
  int64_t mini_batches = 1, inner_epochs = 1;
  bool skip_unended = false;
  int64_t most_draws = 3;
  int64_t lanes = 64;

  template <class V>
  void visit(V& v) {
    visit_prompts(v);
    visit_method(v);
    visit_answers(v);
  }

 private:
  template <class V>
  void visit_method(V& v) {
    v("loss", method.loss, "grpo, dr_grpo, dapo, gspo, rloo or reinforce++",
      one_of({"grpo", "dr_grpo", "dapo", "gspo", "rloo", "reinforce++"}));
    v("beta", method.beta, "weight of the KL from the model that training began with; 0 = none",
      at_least(0));
    v("clip_low", method.clip_low,
      "how far a ratio of probabilities counts below 1; 0 = the loss's own", between(0, 1));
    v("clip_high", method.clip_high, "how far it counts above 1; 0 = the loss's own", at_least(0));
    v("mini_batches", mini_batches, "optimiser steps that one pass over the answers is cut into",
      at_least(1));
    v("inner_epochs", inner_epochs, "passes over the answers before new ones are drawn",
      at_least(1));
    v("skip_unended", skip_unended, "answers cut at max_tokens teach nothing");
    v("most_draws", most_draws,
      "dapo: draws of new prompts in place of groups whose rewards are all the same", at_least(1));
  }
  template <class V>
  void visit_answers(V& v) {
    v("group", group, "answers to each prompt", at_least(1));
    v("max_tokens", max_tokens, "tokens of an answer, at most", at_least(1));
    v("temperature", temperature, "at which answers are drawn, and logits divided in the loss",
      above(0));
    v("top_k", top_k, "draw among the likeliest so many; 0 = all", at_least(0));
    v("top_p", top_p, "draw among the likeliest that make up so much; 1 = all", above(0),
      at_most(1));
    v("lanes", lanes, "answers that grow at a time", at_least(1));
  }
};

struct GrpoConfig {
  GrpoSettings grpo;
  RewardSettings reward;
  LoraSettings lora;  // where grpo.lora says so
  OptimSettings optim;
  TrainSettings train;  // its rows are prompts
  LogSettings log;

  GrpoConfig();

  template <class V>
  void visit(V& v) {
    v("grpo", grpo);
    v("reward", reward);
    v("lora", lora);
    v("optim", optim);
    v("train", train);
    v("log", log);
  }
  // Rules that span fields; throws Error.
  void check() const;
};

}  // namespace malssi
