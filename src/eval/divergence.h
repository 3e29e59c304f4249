// How far a changed model (quantised, pruned) strays from the original on a text: for each token the Kullback-Leibler
// divergence of its prediction from the original's, and the perplexity of both.
#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "models/model.h"

namespace malssi {

struct Divergence {
  int64_t tokens = 0;       // predictions compared
  double divergence = 0;    // sum of KL(original || changed), in nats
  double worst = 0;         // the largest of one token
  int64_t same_best = 0;    // predictions whose likeliest token is the same
  double nll_original = 0;  // sums of negative log-likelihoods
  double nll_changed = 0;

  double mean() const;
  double perplexity_original() const;
  double perplexity_changed() const;
  Divergence& operator+=(const Divergence& other);
};

// Both models see the ids in windows of at most `window` tokens. Error: they have vocabularies of different sizes.
Divergence measure_divergence(Model& original, Model& changed, std::span<const int32_t> ids,
                              int64_t window,
                              const std::function<void(int64_t tokens)>& on_progress = {});

// The same for the tokens that follow the first `prompt` ids (at least 1) alone, in one window.
Divergence measure_continuation(Model& original, Model& changed, std::span<const int32_t> ids,
                                int64_t prompt);

}  // namespace malssi
