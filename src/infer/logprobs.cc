#include "infer/logprobs.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/error.h"

namespace malssi {

namespace {

// The largest logit; checks that the row can be turned into probabilities.
float checked_max(std::span<const float> logits) {
  CHECK(!logits.empty(), "no logits");
  float max = logits[0];
  bool broken = std::isnan(max);
  for (const float x : logits) {
    broken |= std::isnan(x);
    max = std::max(max, x);
  }
  REQUIRE(!broken && std::isfinite(max),
          "the model's logits are not finite numbers: its weights are damaged, or too large for "
          "this precision (try --dtype f32)");
  return max;
}

}  // namespace

double log_sum_exp(std::span<const float> logits) {
  const double max = checked_max(logits);
  double sum = 0;
  for (const float x : logits) sum += std::exp(x - max);
  return max + std::log(sum);
}

void log_softmax(std::span<float> logits) {
  const double normaliser = log_sum_exp(logits);
  for (float& x : logits) x = static_cast<float>(x - normaliser);
}

int32_t argmax(std::span<const float> logits) {
  const float max = checked_max(logits);
  return static_cast<int32_t>(std::find(logits.begin(), logits.end(), max) - logits.begin());
}

std::vector<TokenLogprob> top_logprobs(std::span<const float> logits, int64_t count) {
  const auto size = static_cast<int64_t>(logits.size());
  count = std::clamp<int64_t>(count, 0, size);
  const double normaliser = log_sum_exp(logits);
  std::vector<int32_t> order(logits.size());
  std::iota(order.begin(), order.end(), 0);
  const auto better = [&](int32_t a, int32_t b) {
    const float x = logits[static_cast<size_t>(a)], y = logits[static_cast<size_t>(b)];
    return x != y ? x > y : a < b;
  };
  std::partial_sort(order.begin(), order.begin() + count, order.end(), better);
  std::vector<TokenLogprob> top;
  for (int64_t i = 0; i < count; ++i) {
    const int32_t id = order[static_cast<size_t>(i)];
    top.push_back({.id = id, .logprob = logits[static_cast<size_t>(id)] - normaliser});
  }
  return top;
}

}  // namespace malssi
