// Choosing the next token from its logits [V].
// The order is Hugging Face's: repetition penalty, temperature, top-k, top-p, min-p, then one draw.
//   repetition penalty  each distinct token of prompt and answer once: divided if positive,
//   multiplied if negative
//                       (Keskar et al. 2019, section 4.1, as transformers applies it)
//   top-k               tokens as likely as the k-th stay, so ties are kept
//   top-p               the fewest most likely tokens whose probabilities reach p: the crossing
//   token stays
//                       (Holtzman et al. 2020, section 3.1)
//   min-p               drops tokens below min_p times the likeliest one's probability (Nguyen et
//   al. 2024)
// Equal logits rank by id, so that the same seed gives the same text on every machine.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/random.h"

namespace malssi {

struct SamplingOptions {
  double temperature = 1.0;  // 0: greedy
  int64_t top_k = 0;         // 0: all
  double top_p = 1.0;
  double min_p = 0.0;
  double repetition_penalty = 1.0;
  uint64_t seed = 0;
};

// Throws an Error that names the setting, its value and its range.
void check_sampling(const SamplingOptions& options);

// Penalises each token of seen once; tokens in seen must be distinct. penalty > 0.
void penalise_repetition(std::span<float> logits, std::span<const int32_t> seen, double penalty);

struct Candidate {
  int32_t id = 0;
  double probability = 0;
};

// The tokens that remain after temperature, top-k, top-p and min-p, with probabilities that sum
// to 1. Ordered by falling probability when a filter is on, by id otherwise. temperature must be
// positive.
std::vector<Candidate> candidates(std::span<const float> logits, const SamplingOptions& options);

// Draws tokens for one sequence and remembers what it has seen.
class Sampler {
 public:
  explicit Sampler(const SamplingOptions& options);
  // Tokens that the repetition penalty counts: the prompt's; sampled ones count by themselves.
  void see(std::span<const int32_t> ids);
  int32_t sample(std::span<const float> logits);

 private:
  SamplingOptions options_;
  Rng rng_;
  std::vector<bool> is_seen_;  // by id
  std::vector<int32_t> seen_;  // distinct ids, as they came
  std::vector<float> scratch_;
};

}  // namespace malssi
