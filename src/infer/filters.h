// Filters: which tokens may be drawn, from logits [V]. After the temperature, in this order:
//   top-n-sigma  tokens whose logit is at most n standard deviations below the best (Tang et al.
//                2024, algorithm 1); the temperature changes nothing in that
//   top-k        tokens as likely as the k-th stay, so ties are kept
//   top-p        the fewest most likely tokens whose probabilities reach p: the crossing token stays
//                (Holtzman et al. 2020, section 3.1)
//   min-p        drops tokens below min_p times the likeliest one's probability (Nguyen et al. 2024)
//   typical-p    the fewest tokens that reach p, beginning with those whose surprise is nearest to
//                the entropy (Meister et al. 2022, section 4); the crossing token stays
// Each counts what those before it left. Equal tokens rank by id, so that the same seed gives the
// same text on every machine.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "infer/sampling_options.h"

namespace malssi {

struct Candidate {
  int32_t id = 0;
  double probability = 0;
};

// Likelier first, then by id.
bool likelier(const Candidate& a, const Candidate& b);
// Makes the probabilities sum to 1.
void normalise(std::vector<Candidate>& all);

// The tokens that remain after temperature and filters, with probabilities that sum to 1. Ordered by
// falling probability when a filter is on, by id otherwise. temperature must be positive.
std::vector<Candidate> candidates(std::span<const float> logits, const SamplingOptions& options);

// XTC ("exclude top choices", p-e-w 2024, text-generation-webui pull request 6335): where two or
// more tokens have at least this probability, all of them but the least likely go. `all` is ordered
// by falling probability and sums to 1, before and after.
void exclude_top_choices(std::vector<Candidate>& all, double threshold);

}  // namespace malssi
