#include "infer/filters.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "infer/logprobs.h"

namespace malssi {

bool likelier(const Candidate& a, const Candidate& b) {
  return a.probability != b.probability ? a.probability > b.probability : a.id < b.id;
}

void normalise(std::vector<Candidate>& all) {
  double total = 0;
  for (const Candidate& c : all) total += c.probability;
  for (Candidate& c : all) c.probability /= total;
}

namespace {

// The least logit that top-n-sigma keeps. Impossible tokens have no part in the deviation.
double least_logit(std::span<const float> logits, double max, double n) {
  double sum = 0, count = 0;
  for (const float x : logits)
    if (std::isfinite(x)) {
      sum += x;
      ++count;
    }
  const double mean = sum / count;
  double squares = 0;
  for (const float x : logits)
    if (std::isfinite(x)) squares += (x - mean) * (x - mean);
  return max - n * std::sqrt(squares / count);
}

// Keeps tokens at least as likely as the k-th.
void keep_top_k(std::vector<Candidate>& all, int64_t k) {
  if (k <= 0 || k >= static_cast<int64_t>(all.size())) return;
  const auto kth = all.begin() + (k - 1);
  std::nth_element(all.begin(), kth, all.end(), likelier);
  const double least = kth->probability;
  std::erase_if(all, [&](const Candidate& c) { return c.probability < least; });
}

// Keeps the fewest likeliest tokens that reach p of the total; leaves them sorted.
void keep_top_p(std::vector<Candidate>& all, double p) {
  if (p >= 1.0) return;
  double total = 0;
  for (const Candidate& c : all) total += c.probability;
  const auto worse = [](const Candidate& a, const Candidate& b) { return likelier(b, a); };
  std::make_heap(all.begin(), all.end(), worse);
  auto end = all.end();  // all[end ..) holds the kept ones, likeliest last
  double reached = 0;
  do {
    std::pop_heap(all.begin(), end, worse);
    reached += (--end)->probability;
  } while (end != all.begin() && reached < p * total);
  all.erase(all.begin(), end);
}

// Keeps the fewest tokens of typical surprise that reach p.
void keep_typical(std::vector<Candidate>& all, double p) {
  if (p >= 1.0) return;
  normalise(all);
  std::erase_if(all, [](const Candidate& c) { return c.probability == 0; });
  double entropy = 0;
  for (const Candidate& c : all) entropy -= c.probability * std::log(c.probability);
  const auto distance = [&](const Candidate& c) {
    return std::abs(-std::log(c.probability) - entropy);
  };
  std::sort(all.begin(), all.end(), [&](const Candidate& a, const Candidate& b) {
    const double da = distance(a), db = distance(b);
    return da != db ? da < db : likelier(a, b);
  });
  double reached = 0;
  size_t kept = 0;
  while (kept < all.size() && reached < p) reached += all[kept++].probability;
  all.resize(kept);
}

}  // namespace

std::vector<Candidate> candidates(std::span<const float> logits, const SamplingOptions& options) {
  CHECK(options.temperature > 0, "candidates of greedy sampling");
  const double max = logits[static_cast<size_t>(argmax(logits))];
  const bool by_sigma = options.top_n_sigma > 0;
  const double least = by_sigma ? least_logit(logits, max, options.top_n_sigma) : 0;
  std::vector<Candidate> all;
  all.reserve(logits.size());
  for (size_t i = 0; i < logits.size(); ++i) {
    const double logit = logits[i];
    if (by_sigma && logit < least) continue;
    const double p = std::exp((logit - max) / options.temperature);
    all.push_back({.id = static_cast<int32_t>(i), .probability = p});
  }
  keep_top_k(all, options.top_k);
  keep_top_p(all, options.top_p);
  // The likeliest token's unnormalised probability is exp(0) = 1.
  if (options.min_p > 0)
    std::erase_if(all, [&](const Candidate& c) { return c.probability < options.min_p; });
  keep_typical(all, options.typical_p);
  if (by_sigma || options.top_k > 0 || options.top_p < 1 || options.min_p > 0 ||
      options.typical_p < 1)
    std::sort(all.begin(), all.end(), likelier);
  normalise(all);
  return all;
}

void exclude_top_choices(std::vector<Candidate>& all, double threshold) {
  const auto end = std::partition_point(
      all.begin(), all.end(), [&](const Candidate& c) { return c.probability >= threshold; });
  if (end - all.begin() < 2) return;
  all.erase(all.begin(), end - 1);
  normalise(all);
}

}  // namespace malssi
