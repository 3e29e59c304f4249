// Log-probabilities over one row of logits [V]: the log-sum-exp is taken in double precision.
// Throws Error when a logit is NaN or +infinity or all are -infinity: a damaged model, not a choice
// to sample from.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace malssi {

struct TokenLogprob {
  int32_t id = 0;
  double logprob = 0;
};

// log(sum(exp(logits))).
double log_sum_exp(std::span<const float> logits);
// Replaces logits by log-probabilities.
void log_softmax(std::span<float> logits);
// The most likely token; the lowest id among equals.
int32_t argmax(std::span<const float> logits);
// The count most likely tokens, best first; among equals the lower id first.
std::vector<TokenLogprob> top_logprobs(std::span<const float> logits, int64_t count);

}  // namespace malssi
