// Everything that proximal policy optimisation can be told: the keys of RUN/config.toml and the flags of `malssi align ppo`.
// Defaults are InstructGPT's (Ouyang et al. 2022, appendix C) where it says them, else those of Ziegler et al. 2019.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/config.h"
#include "train/rl/rl_prompt_settings.h"
#include "train/run/settings.h"
#include "train/tune/lora_config.h"

namespace malssi {

// [ppo]
struct PpoSettings : RlPromptSettings {
  std::string reward = "", critic = "reward";
  int64_t answers = 64, answers_per_prompt = 1, inner_epochs = 4;
  int64_t max_tokens = 128;
  double temperature = 1;
  std::string kl = "adaptive";
  double kl_weight = 0.2, kl_target = 6, kl_horizon = 10000;
  double gamma = 1, lambda = 0.95;
  double clip = 0.2, value_clip = 0.2, value_weight = 0.1;
  bool whiten_rewards = true;
  double missing_end_penalty = 1;
  std::vector<std::string> text = {};
  double text_weight = 27.8;

  template <class V>
  void visit(V& v) {
    visit_models(v);
    visit_method(v);
  }

 private:
  template <class V>
  void visit_models(V& v) {
    visit_prompts(v);
    v("reward", reward, "the reward model: a folder, or the run of malssi align reward");
    v("critic", critic,
      "reward: an adapter and a value head on the reward model, from whose head it starts; policy: "
      "a value head on the policy's own layers",
      one_of({"reward", "policy"}));
    v("text", text, "text for a pretraining mix (PPO-ptx): files, JSON Lines, or folders of them");
    v("text_weight", text_weight, "weight of the loss on that text", above(0));
  }
  template <class V>
  void visit_method(V& v) {
    v("answers", answers, "answers drawn at a time, then learned from", at_least(1));
    v("answers_per_prompt", answers_per_prompt, "answers to each prompt", at_least(1));
    v("inner_epochs", inner_epochs, "times through these answers", at_least(1));
    v("max_tokens", max_tokens, "greatest length of an answer in tokens", at_least(1));
    v("temperature", temperature, "temperature of the policy and of the reference", above(0));
    v("kl", kl, "weight of the KL from the reference: adaptive, towards kl_target, or fixed",
      one_of({"adaptive", "fixed"}));
    v("kl_weight", kl_weight, "what a nat of KL costs, at first", at_least(0));
    v("kl_target", kl_target, "nats of an answer that the weight steers to", above(0));
    v("kl_horizon", kl_horizon, "how slowly it does, in answers", above(0));
    v("gamma", gamma, "discount of later rewards", between(0, 1));
    v("lambda", lambda, "decay of generalised advantage estimation", between(0, 1));
    v("clip", clip, "the ratio of probabilities counts between 1 - clip and 1 + clip",
      between(0, 1));
    v("value_clip", value_clip, "how far a value may move at once", above(0));
    v("value_weight", value_weight, "weight of the critic's loss", above(0));
    v("whiten_rewards", whiten_rewards, "scale the rewards of the tokens to a deviation of 1");
    v("missing_end_penalty", missing_end_penalty,
      "taken off the score of an answer that does not end by itself", at_least(0));
  }
};

struct PpoConfig {
  PpoSettings ppo;
  LoraSettings lora;  // where ppo.lora says so; the critic's rank and alpha, too
  OptimSettings optim;
  TrainSettings train;  // its rows are answers
  LogSettings log;

  PpoConfig();

  template <class V>
  void visit(V& v) {
    v("ppo", ppo);
    v("lora", lora);
    v("optim", optim);
    v("train", train);
    v("log", log);
  }
  // Rules that span fields; throws Error.
  void check() const;
};

}  // namespace malssi
