// What training did to a model's behaviour: both models, the one before (base) and the one after, answer the same prompts, and
// what has become worse is found by counting (train/report/behaviour.h).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/config.h"
#include "base/console.h"
#include "train/report/behaviour.h"
#include "train/rl/answering_settings.h"
#include "train/rl/rewards/make_rewards.h"

namespace malssi {

// [behaviour]
struct BehaviourSettings : AnsweringSettings {
  std::string base = "", model = "", prompts = "";
  std::string chat_template = "";
  bool skip_invalid = false;
  int64_t samples = 1;
  int64_t max_tokens = 256;
  double temperature = 0;
  double kl_limit = 1;

  template <class V>
  void visit(V& v) {
    v("base", base, "the model before: a Hugging Face folder, or the folder of a run");
    v("model", model, "the model after");
    v("prompts", prompts,
      "what both are asked, JSON Lines or a JSON array; \"answer\" = the right one");
    v("chat_template", chat_template,
      "malssi, chatml, llama3 or alpaca; empty = each model's own, else malssi",
      one_of({"", "malssi", "chatml", "llama3", "alpaca"}));
    v("skip_invalid", skip_invalid, "leave out malformed records instead of stopping");
    v("samples", samples, "answers to each prompt; above 1 with a temperature", at_least(1));
    v("max_tokens", max_tokens, "greatest length of an answer in tokens", at_least(1));
    v("temperature", temperature, "at which answers are drawn; 0 = the likeliest", at_least(0));
    v("kl_limit", kl_limit, "warn above this divergence from the base, in nats a token", above(0));
    visit_answering(v);
  }
};

// A reward other than the right answer is what a model may have learned to game.
struct BehaviourConfig {
  BehaviourSettings behaviour;
  RewardSettings reward;

  template <class V>
  void visit(V& v) {
    v("behaviour", behaviour);
    v("reward", reward);
  }
  // Rules that span fields; throws Error.
  void check() const;
};

struct BehaviourChange {
  bool finished = true;  // false: a stop was asked for
  int64_t prompts = 0;
  Behaviour before = {}, after = {};
  std::vector<std::string> findings = {};
};

// Throws Error: models or prompts that cannot be used. Warns where the divergence cannot be had, as of two tokenizers.
BehaviourChange measure_behaviour(const BehaviourConfig& config, Console& console);

}  // namespace malssi
