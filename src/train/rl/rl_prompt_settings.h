// What learning from prompts asks for, whatever the method.
#pragma once

#include <string>

#include "base/config.h"

namespace malssi {

// The first part of [grpo] and [ppo].
struct RlPromptSettings {
  std::string model = "", data = "", val = "";
  double val_fraction = 0.05;
  std::string chat_template = "";
  double epochs = 1;
  bool skip_invalid = false, lora = false;

 protected:
  template <class V>
  void visit_prompts(V& v) {
    v("model", model, "the model to train: a Hugging Face folder, or the folder of a run");
    v("data", data, "prompts, JSON Lines or a JSON array");
    v("val", val, "prompts to validate on; empty = a part of the data");
    v("val_fraction", val_fraction, "the part of the data held out for validation",
      between(0, 0.5));
    v("chat_template", chat_template,
      "malssi, chatml, llama3 or alpaca; empty = the model's own, else malssi",
      one_of({"", "malssi", "chatml", "llama3", "alpaca"}));
    v("epochs", epochs, "times through the prompts, unless train.steps is given", above(0));
    v("skip_invalid", skip_invalid, "leave out malformed records instead of stopping");
    v("lora", lora, "train a low-rank adapter beside frozen weights, dense or quantised ([lora])");
  }
};

}  // namespace malssi
