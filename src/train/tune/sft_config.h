// Everything that instruction tuning can be told: the keys of RUN/config.toml and the flags of
// `malssi tune sft`; and of `malssi tune lora`, whose other settings are in lora_config.h.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/config.h"
#include "train/run/settings.h"

namespace malssi {

// [sft], without what acts on all weights
struct ConversationSettings {
  std::string model = "";
  std::vector<std::string> data = {};
  std::string val = "";
  double val_fraction = 0.05;
  std::string chat_template = "";
  double epochs = 3;
  int64_t context = 0;
  std::string too_long = "turns";
  std::string loss_on = "answers";
  std::string prompt_column = "";
  std::string answer_column = "";
  double neftune = 0;
  bool skip_invalid = false;

  template <class V>
  void visit(V& v) {
    v("model", model, "the model to tune: a Hugging Face folder, or the folder of a run");
    v("data", data,
      "conversations: messages, ShareGPT, Alpaca or question and answer; JSON Lines, a JSON array, "
      ".csv or .tsv, also .gz; FILE:WEIGHT mixes several");
    v("val", val, "conversations to validate on; empty = a part of the data");
    v("val_fraction", val_fraction, "the part of the data held out for validation",
      between(0, 0.5));
    v("chat_template", chat_template,
      "malssi, chatml, llama3 or alpaca; empty = the model's own, else malssi",
      one_of({"", "malssi", "chatml", "llama3", "alpaca"}));
    v("epochs", epochs, "times through the data, unless train.steps is given", above(0));
    v("context", context, "tokens of a conversation; 0 = as many as the model takes", at_least(0));
    v("too_long", too_long,
      "longer conversations: keep the turns that fit whole, truncate, drop or refuse",
      one_of({"turns", "truncate", "drop", "refuse"}));
    v("loss_on", loss_on, "what is learned: all answers, the last one, or all tokens",
      one_of({"answers", "last", "all"}));
    v("prompt_column", prompt_column,
      "the column or key of the question, where it has another name");
    v("answer_column", answer_column, "the column or key of the answer, likewise");
    v("neftune", neftune, "noise added to embeddings while training (Jain et al. 2023), usually 5",
      at_least(0));
    v("skip_invalid", skip_invalid, "leave out malformed records instead of stopping");
  }
  // Of all runs that learn from conversations; throws Error.
  void check(const TrainSettings& train) const;
};

// [sft]
struct SftSettings : ConversationSettings {
  double dropout = 0.0;
  int64_t last_layers = 0;
  std::string trainable = "";

  template <class V>
  void visit(V& v) {
    ConversationSettings::visit(v);
    v("dropout", dropout, "part of the activations dropped while training", between(0, 0.95));
    v("last_layers", last_layers,
      "train so many of the last layers and what follows them, and freeze the rest; 0 = train all",
      at_least(0));
    v("trainable", trainable,
      "train weights of these names alone: ends (o_proj,norm) or an expression; empty = all");
  }
};

// Lower rates and fewer steps between validations than pretraining has.
void suit_tuning(OptimSettings& optim, TrainSettings& train);

struct SftConfig {
  SftSettings sft;
  OptimSettings optim;
  TrainSettings train;
  LogSettings log;

  SftConfig() { suit_tuning(optim, train); }

  template <class V>
  void visit(V& v) {
    v("sft", sft);
    v("optim", optim);
    v("train", train);
    v("log", log);
  }
  // Rules that span fields; throws Error.
  void check() const;
};

}  // namespace malssi
