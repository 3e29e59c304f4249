// Perplexity: exp of the mean negative log-likelihood of the scored tokens. Word and byte perplexity and bits per byte
// spread the same sum over the whitespace words and the bytes of the original text, so that models with different
// tokenizers compare.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string_view>

#include "eval/windows.h"
#include "models/model.h"
#include "text/tokenizer.h"

namespace malssi {

struct PerplexityOptions {
  int64_t window = 0;  // tokens at once; 0: the model's context
  int64_t stride = 0;  // between windows; 0: the window (no overlap, the fastest)
  bool begin_text =
      false;  // put the tokenizer's begin-of-text token before each document, unscored
  AdapterMix adapters = {};  // of the model
  // Read keys and values back from a cache of this type, as writing an answer does; none: they stay as they are computed.
  std::optional<DType> cache = {};
  std::function<void(int64_t tokens)> on_progress = {};  // more tokens went through the model
  std::function<bool()> cancelled = {};  // asked before every pass; ends with an Error
};

struct Likelihood {
  double nll = 0;  // sum over the scored tokens, in nats
  int64_t scored = 0;
  int64_t tokens = 0;
  int64_t words = 0;
  int64_t bytes = 0;
  int64_t documents = 0;
  int64_t windows = 0;

  double loss() const;  // nats per scored token
  double perplexity() const;
  double word_perplexity() const;
  double byte_perplexity() const;
  double bits_per_byte() const;
  Likelihood& operator+=(const Likelihood& other);
};

// Sum of negative log-likelihoods, in nats, of the scored tokens of the windows. Small windows go through the model
// together.
double score_windows(Model& model, std::span<const int32_t> ids, std::span<const Window> windows,
                     const PerplexityOptions& options = {});

// One document. Error: the window exceeds the model's context.
Likelihood score_text(Model& model, const Tokenizer& tokenizer, std::string_view text,
                      const PerplexityOptions& options = {});

}  // namespace malssi
