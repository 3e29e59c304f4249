#include "infer/penalties.h"

#include <algorithm>

#include "base/error.h"

namespace malssi {

void penalise_repetition(std::span<float> logits, std::span<const int32_t> seen, double penalty) {
  for (const int32_t id : seen) {
    if (id < 0 || id >= static_cast<int64_t>(logits.size())) continue;
    float& x = logits[static_cast<size_t>(id)];
    x = static_cast<float>(x > 0 ? x / penalty : x * penalty);
  }
}

void TokenCounts::set(std::span<const int32_t> ids) {
  for (const int32_t id : distinct_) counts_[static_cast<size_t>(id)] = 0;
  distinct_.clear();
  for (const int32_t id : ids) {
    CHECK(id >= 0, "token ", id);
    if (static_cast<size_t>(id) >= counts_.size()) counts_.resize(static_cast<size_t>(id) + 1);
    if (counts_[static_cast<size_t>(id)]++ == 0) distinct_.push_back(id);
  }
}

std::span<const int32_t> latest(std::span<const int32_t> ids, int64_t window) {
  if (window <= 0 || window >= static_cast<int64_t>(ids.size())) return ids;
  return ids.last(static_cast<size_t>(window));
}

void penalise(std::span<float> logits, std::span<const int32_t> history, int64_t answer,
              const PenaltyOptions& options, TokenCounts& scratch) {
  if (options.repetition != 1.0) {
    scratch.set(latest(history, options.window));
    penalise_repetition(logits, scratch.distinct(), options.repetition);
  }
  if (options.presence == 0 && options.frequency == 0) return;
  scratch.set(latest(history.subspan(static_cast<size_t>(answer)), options.window));
  for (const int32_t id : scratch.distinct()) {
    if (id >= static_cast<int64_t>(logits.size())) continue;
    const double loss =
        options.presence + options.frequency * static_cast<double>(scratch.count(id));
    logits[static_cast<size_t>(id)] -= static_cast<float>(loss);
  }
}

}  // namespace malssi
