// Rollouts: answers that a policy draws to prompts, several to each, for the training that learns from them. They come from
// the very weights that are trained: nothing is copied, and keys and values are computed anew at each call, so that a call
// always sees the weights as they are. Prompts are read once for all their answers, many answers grow side by side, and one
// that ends makes room at once. An answer depends on seed, prompt number and its own number alone, not on what is beside it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "models/model.h"
#include "text/tokenizer.h"

namespace malssi {

struct RolloutOptions {
  int64_t samples = 8;             // answers to each prompt
  double temperature = 1;          // 0: the likeliest token each time
  int64_t top_k = 0;               // 0: all
  double top_p = 1;                // 1: all
  int64_t max_tokens = 256;        // of an answer
  std::vector<int32_t> ends = {};  // tokens that end an answer
  uint64_t seed = 0;
  int64_t lanes = 64;                         // answers at a time, at most
  AdapterMix adapters = {};                   // of the model's
  std::function<bool()> stop_requested = {};  // asked before each pass
};

struct Rollout {
  int64_t prompt_number = 0;
  std::vector<int32_t> prompt = {};
  std::vector<int32_t> answer = {};  // the token that ended it included
  // Of each of the answer's tokens: log softmax(logits / temperature), before top-k and top-p.
  std::vector<float> log_probs = {};
  double entropy = 0;  // of that distribution, in nats: mean over the answer's tokens
  bool ended = false;  // by itself, with one of `ends`; else it grew too long
};

// Answers to prompt 0, then to prompt 1, ... Nothing when a stop was asked for meanwhile. At temperature 0 log-probabilities
// are those of temperature 1. Throws Error: options out of range; a prompt that is empty or leaves no room in the model's
// context.
std::optional<std::vector<Rollout>> roll_out(Model& model, const Tokenizer& tokenizer,
                                             std::span<const std::vector<int32_t>> prompts,
                                             const RolloutOptions& options);

}  // namespace malssi
