// Everything that learning from preferences can be told: the keys of RUN/config.toml and the flags of `malssi align METHOD`.
// Each method shows the settings that it has.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/config.h"
#include "train/align/preference_method.h"
#include "train/run/settings.h"
#include "train/tune/lora_config.h"

namespace malssi {

// [align]
struct AlignSettings {
  std::string model = "";
  std::vector<std::string> data = {};
  std::string val = "";
  double val_fraction = 0.05;
  std::string chat_template = "";
  double epochs = 1;
  int64_t context = 0;
  std::string too_long = "drop";
  bool skip_invalid = false;
  bool lora = false;
  double centring = 0;
  PreferenceMethod method;  // its name is no setting: the command says it

  template <class V>
  void visit(V& v) {
    v("model", model, "the model to align: a Hugging Face folder, or the folder of a run");
    v("data", data,
      "preferences: JSON Lines, a JSON array, .csv or .tsv, also .gz; FILE:WEIGHT mixes several");
    v("val", val, "preferences to validate on; empty = a part of the data");
    v("val_fraction", val_fraction, "the part of the data held out for validation",
      between(0, 0.5));
    v("chat_template", chat_template,
      "malssi, chatml, llama3 or alpaca; empty = the model's own, else malssi",
      one_of({"", "malssi", "chatml", "llama3", "alpaca"}));
    v("epochs", epochs, "times through the data, unless train.steps is given", above(0));
    v("context", context, "tokens of a prompt with its answer; 0 = as many as the model takes",
      at_least(0));
    v("too_long", too_long, "records with a longer answer: drop or refuse",
      one_of({"drop", "refuse"}));
    v("skip_invalid", skip_invalid, "leave out malformed records instead of stopping");
    v("lora", lora, "train a low-rank adapter beside frozen weights, dense or quantised ([lora])");
    visit_method(v);
  }

 private:
  template <class V>
  void visit_method(V& v) {
    if (method.scores())
      return v("centring", centring,
               "weight of the squared sum of both rewards; keeps them about 0", at_least(0));
    v("beta", method.beta, "how much a nat of log-probability counts", above(0));
    if (method.name == "dpo") {
      v("loss", method.loss, "sigmoid, hinge, ipo or robust",
        one_of({"sigmoid", "hinge", "ipo", "robust"}));
      v("label_smoothing", method.label_smoothing,
        "the part of the labels believed to be wrong (sigmoid: cDPO; robust)", between(0, 0.49));
      v("length_normalised", method.length_normalised, "compare log-probabilities per token");
    }
    if (method.name == "simpo")
      v("gamma", method.gamma, "by how much the chosen answer is to lead", at_least(0));
    if (method.name == "kto") {
      v("liked_weight", method.liked_weight, "weight of liked answers", above(0));
      v("disliked_weight", method.disliked_weight, "weight of disliked answers", above(0));
    }
  }
};

struct AlignConfig {
  AlignSettings align;
  LoraSettings lora;  // where align.lora says so
  OptimSettings optim;
  TrainSettings train;  // its rows are preferences
  LogSettings log;

  // method: dpo, kto, orpo, simpo or reward; defaults are its paper's.
  explicit AlignConfig(const std::string& method);

  template <class V>
  void visit(V& v) {
    v("align", align);
    v("lora", lora);
    v("optim", optim);
    v("train", train);
    v("log", log);
  }
  // Rules that span fields; throws Error.
  void check() const;
};

}  // namespace malssi
