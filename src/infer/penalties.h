// Logits changed by what came before.
//   repetition penalty   each distinct token of prompt and answer once: divided if positive,
//                        multiplied if negative (Keskar et al. 2019, section 4.1)
//   presence, frequency  as OpenAI's API defines them, over the answer alone: a token that came n
//                        times loses presence + n * frequency
// With a window only the latest so many tokens count, of prompt and answer or of the answer.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "infer/sampling_options.h"

namespace malssi {

// Penalises each token of seen once; tokens in seen must be distinct. penalty > 0.
void penalise_repetition(std::span<float> logits, std::span<const int32_t> seen, double penalty);

// Counts tokens of a sequence, in time that does not depend on the vocabulary.
class TokenCounts {
 public:
  // Afterwards distinct() and count() are those of ids.
  void set(std::span<const int32_t> ids);
  std::span<const int32_t> distinct() const { return distinct_; }
  int64_t count(int32_t id) const { return counts_[static_cast<size_t>(id)]; }

 private:
  std::vector<int64_t> counts_;    // by id
  std::vector<int32_t> distinct_;  // as they came
};

// Applies all penalties. The history is the prompt and the answer so far, which starts at `answer`.
void penalise(std::span<float> logits, std::span<const int32_t> history, int64_t answer,
              const PenaltyOptions& options, TokenCounts& scratch);

// The latest `window` ids, or all where it is 0.
std::span<const int32_t> latest(std::span<const int32_t> ids, int64_t window);

}  // namespace malssi
