#include "infer/filters.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>
#include <numeric>

#include "base/error.h"
#include "base/parallel.h"
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

// The k-th largest logit.
float kth_logit(std::span<const float> logits, int64_t k) {
  std::vector<float> best(logits.begin(), logits.begin() + k);  // a heap, the least in front
  std::make_heap(best.begin(), best.end(), std::greater());
  for (const float logit : logits.subspan(static_cast<size_t>(k))) {
    if (!(logit > best.front())) continue;
    std::pop_heap(best.begin(), best.end(), std::greater());
    best.back() = logit;
    std::push_heap(best.begin(), best.end(), std::greater());
  }
  return best.front();
}

// exp((logit - max) / temperature) of the logits from `least` on; the others have no part: 0.
std::span<const double> weights_of(std::span<const float> logits, double max, double least,
                                   double temperature) {
  static thread_local std::vector<double> room;  // of a vocabulary's size at every token
  room.resize(logits.size());
  double* const weights = room.data();
  parallel_for(std::ssize(logits), 4096, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const double logit = logits[static_cast<size_t>(i)];
      weights[i] = logit < least ? 0 : std::exp((logit - max) / temperature);
    }
  });
  return room;
}

// Numbers of (0, 1] by their leading bits, a larger one for a larger number.
constexpr int kBuckets = 1023 * 8 + 1;
int bucket_of(double weight) {
  return static_cast<int>(std::min<uint64_t>(std::bit_cast<uint64_t>(weight) >> 49, kBuckets - 1));
}

// A weight that the fewest likeliest tokens that reach p of the total all have, found without sorting: a little low.
double least_of_nucleus(std::span<const double> weights, double p, double total) {
  std::vector<double> mass(kBuckets, 0.0);
  for (const double weight : weights) mass[static_cast<size_t>(bucket_of(weight))] += weight;
  double reached = 0;
  int bucket = kBuckets;
  // Added up in another order, the mass may differ in its last bits.
  while (bucket > 0 && reached < p * total * (1 + 1e-9))
    reached += mass[static_cast<size_t>(--bucket)];
  return std::bit_cast<double>(static_cast<uint64_t>(bucket) << 49);
}

// Of tokens sorted by falling probability: the fewest that reach p of the total.
void keep_top_p(std::vector<Candidate>& sorted, double p, double total) {
  double reached = 0;
  size_t kept = 0;
  while (kept < sorted.size() && (kept == 0 || reached < p * total))
    reached += sorted[kept++].probability;
  sorted.resize(kept);
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
  const bool by_k = options.top_k > 0 && options.top_k < std::ssize(logits);
  double floor = by_sigma ? least_logit(logits, max, options.top_n_sigma) : -INFINITY;
  if (by_k) floor = std::max<double>(floor, kth_logit(logits, options.top_k));
  const std::span<const double> weights = weights_of(logits, max, floor, options.temperature);
  const bool by_p = options.top_p < 1.0;
  const double total = by_p ? std::accumulate(weights.begin(), weights.end(), 0.0) : 0;
  const double least = by_p ? least_of_nucleus(weights, options.top_p, total) : 0;
  std::vector<Candidate> all;
  all.reserve(by_p || by_k ? 1024 : logits.size());
  for (size_t i = 0; i < logits.size(); ++i)
    if (logits[i] >= floor && weights[i] >= least)
      all.push_back({.id = static_cast<int32_t>(i), .probability = weights[i]});
  if (by_p) {
    std::sort(all.begin(), all.end(), likelier);
    keep_top_p(all, options.top_p, total);
  }
  // The likeliest token's unnormalised probability is exp(0) = 1.
  if (options.min_p > 0)
    std::erase_if(all, [&](const Candidate& c) { return c.probability < options.min_p; });
  keep_typical(all, options.typical_p);
  if (by_sigma || options.top_k > 0 || options.min_p > 0 || options.typical_p < 1)
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
