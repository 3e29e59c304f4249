#include "infer/sampler.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "infer/logprobs.h"

namespace malssi {

namespace {

bool likelier(const Candidate& a, const Candidate& b) {
  return a.probability != b.probability ? a.probability > b.probability : a.id < b.id;
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

void normalise(std::vector<Candidate>& all) {
  double total = 0;
  for (const Candidate& c : all) total += c.probability;
  for (Candidate& c : all) c.probability /= total;
}

}  // namespace

void check_sampling(const SamplingOptions& options) {
  REQUIRE(options.temperature >= 0 && std::isfinite(options.temperature), "temperature is ",
          options.temperature, ": it must be 0 (greedy) or more");
  REQUIRE(options.top_k >= 0, "top-k is ", options.top_k, ": it must be 0 (off) or more");
  REQUIRE(options.top_p > 0 && options.top_p <= 1, "top-p is ", options.top_p,
          ": it must be above 0 and at most 1 (off)");
  REQUIRE(options.min_p >= 0 && options.min_p <= 1, "min-p is ", options.min_p,
          ": it must be between 0 (off) and 1");
  REQUIRE(options.repetition_penalty > 0 && std::isfinite(options.repetition_penalty),
          "repetition penalty is ", options.repetition_penalty,
          ": it must be above 0 (1 is off, 1.1 is usual)");
}

void penalise_repetition(std::span<float> logits, std::span<const int32_t> seen, double penalty) {
  for (const int32_t id : seen) {
    if (id < 0 || id >= static_cast<int64_t>(logits.size())) continue;
    float& x = logits[static_cast<size_t>(id)];
    x = static_cast<float>(x > 0 ? x / penalty : x * penalty);
  }
}

std::vector<Candidate> candidates(std::span<const float> logits, const SamplingOptions& options) {
  CHECK(options.temperature > 0, "candidates of greedy sampling");
  const float max = logits[static_cast<size_t>(argmax(logits))];
  std::vector<Candidate> all;
  all.reserve(logits.size());
  for (size_t i = 0; i < logits.size(); ++i) {
    const double p = std::exp((static_cast<double>(logits[i]) - max) / options.temperature);
    all.push_back({.id = static_cast<int32_t>(i), .probability = p});
  }
  keep_top_k(all, options.top_k);
  keep_top_p(all, options.top_p);
  // The likeliest token's unnormalised probability is exp(0) = 1.
  if (options.min_p > 0)
    std::erase_if(all, [&](const Candidate& c) { return c.probability < options.min_p; });
  if (options.top_k > 0 || options.top_p < 1 || options.min_p > 0)
    std::sort(all.begin(), all.end(), likelier);
  normalise(all);
  return all;
}

Sampler::Sampler(const SamplingOptions& options) : options_(options), rng_(options.seed) {
  check_sampling(options);
}

void Sampler::see(std::span<const int32_t> ids) {
  if (options_.repetition_penalty == 1.0) return;
  for (const int32_t id : ids) {
    CHECK(id >= 0, "token ", id);
    if (static_cast<size_t>(id) >= is_seen_.size()) is_seen_.resize(static_cast<size_t>(id) + 1);
    if (is_seen_[static_cast<size_t>(id)]) continue;
    is_seen_[static_cast<size_t>(id)] = true;
    seen_.push_back(id);
  }
}

int32_t Sampler::sample(std::span<const float> logits) {
  if (options_.repetition_penalty != 1.0) {
    scratch_.assign(logits.begin(), logits.end());
    penalise_repetition(scratch_, seen_, options_.repetition_penalty);
    logits = scratch_;
  }
  int32_t id = 0;
  if (options_.temperature == 0) {
    id = argmax(logits);
  } else {
    const std::vector<Candidate> all = candidates(logits, options_);
    double left = rng_.uniform();
    for (const Candidate& c : all) {
      if (c.probability > 0) id = c.id;
      left -= c.probability;
      if (left < 0) break;
    }
  }
  see({&id, 1});
  return id;
}

}  // namespace malssi
