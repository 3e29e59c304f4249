// Rejection sampling: many answers to each prompt, of which the best ones become conversations to tune on. With a larger model
// as the one that answers this is distillation by text.
#pragma once

#include <cstdint>
#include <string>

#include "base/config.h"
#include "base/console.h"
#include "train/rl/answering_settings.h"
#include "train/rl/rewards/make_rewards.h"

namespace malssi {

// [best_of]
struct BestOfSettings : AnsweringSettings {
  std::string model = "", data = "", out = "";
  std::string chat_template = "";
  bool skip_invalid = false;
  int64_t samples = 16, keep = 1;
  double above = 0;
  int64_t max_tokens = 256;
  double temperature = 1, top_p = 1;
  int64_t top_k = 0;

  template <class V>
  void visit(V& v) {
    v("model", model, "the model that answers: a Hugging Face folder, or the folder of a run");
    v("data", data, "prompts, JSON Lines or a JSON array");
    v("out", out, "the file of conversations to write, as malssi tune sft reads them");
    v("chat_template", chat_template,
      "malssi, chatml, llama3 or alpaca; empty = the model's own, else malssi",
      one_of({"", "malssi", "chatml", "llama3", "alpaca"}));
    v("skip_invalid", skip_invalid, "leave out malformed records instead of stopping");
    v("samples", samples, "answers to each prompt", at_least(1));
    v("keep", keep, "different answers kept of each prompt, at most", at_least(1));
    v("above", above, "only answers whose reward is above this are kept");
    v("max_tokens", max_tokens, "tokens of an answer, at most; longer ones are not kept",
      at_least(1));
    v("temperature", temperature, "at which answers are drawn", at_least(0));
    v("top_p", top_p, "draw among the likeliest that make up so much; 1 = all", malssi::above(0),
      at_most(1));
    v("top_k", top_k, "draw among the likeliest so many; 0 = all", at_least(0));
    visit_answering(v);
  }
};

struct BestOfConfig {
  BestOfSettings best_of;
  RewardSettings reward;

  template <class V>
  void visit(V& v) {
    v("best_of", best_of);
    v("reward", reward);
  }
  // Rules that span fields; throws Error.
  void check() const;
};

struct BestOfResult {
  bool finished = true;  // false: a stop was asked for, and nothing was written
  int64_t prompts = 0;
  int64_t solved = 0;  // with an answer that was kept
  int64_t kept = 0;    // answers
};

// Writes the file whole or not at all. Throws Error.
BestOfResult run_best_of(const BestOfConfig& config, Console& console);

}  // namespace malssi
