// A model small enough to be saved and loaded thousands of times.
#pragma once

#include <memory>
#include <vector>

#include "models/model.h"
#include "text/tokenizer.h"

namespace malssi {

inline std::unique_ptr<Tokenizer> tiny_tokenizer() {
  return make_char_tokenizer("abc 가", {.special = {"<|endoftext|>"}});
}

inline ModelConfig tiny_config(const std::string& family = "llama") {
  ModelConfig config;
  config.family = family;
  config.vocab = 8;
  config.width = 8;
  config.layers = 1;
  config.heads = 2;
  config.kv_heads = family == "gpt2" ? 2 : 1;
  config.hidden = 12;
  config.context = 6;
  config.eos_id = 5;
  return config;
}

inline std::vector<float> tiny_logits(Model& model) {
  const std::vector<int32_t> ids = {0, 1, 2, 3, 4};
  CausalBatch context({0, 3, 5});
  return model.logits(model.hidden(ids, context)).to_vector();
}

}  // namespace malssi
