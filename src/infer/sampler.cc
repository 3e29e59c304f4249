#include "infer/sampler.h"

#include <algorithm>

#include "base/error.h"
#include "infer/dry.h"
#include "infer/logprobs.h"

namespace malssi {

namespace {

bool changes_logits(const SamplingOptions& options) {
  const PenaltyOptions& penalty = options.penalty;
  return !options.bias.empty() || options.dry.multiplier > 0 || penalty.repetition != 1.0 ||
         penalty.presence != 0 || penalty.frequency != 0;
}

}  // namespace

Sampler::Sampler(const SamplingOptions& options)
    : options_(options),
      changes_logits_(changes_logits(options)),
      rng_(options.seed),
      mirostat_(options.mirostat) {
  check_sampling(options);
}

void Sampler::see(std::span<const int32_t> ids) {
  CHECK(static_cast<int64_t>(history_.size()) == prompt_length_, "the answer has begun");
  history_.insert(history_.end(), ids.begin(), ids.end());
  prompt_length_ = static_cast<int64_t>(history_.size());
}

void Sampler::change(std::span<float> logits) {
  check_bias(options_, static_cast<int64_t>(logits.size()));
  for (const LogitBias& bias : options_.bias)
    logits[static_cast<size_t>(bias.id)] += static_cast<float>(bias.bias);
  penalise(logits, history_, prompt_length_, options_.penalty, counts_);
  penalise_dry(logits, history_, options_.dry);
}

int32_t Sampler::draw(std::span<const float> logits) {
  std::vector<Candidate> all;
  if (options_.mirostat.tau > 0) {
    all = candidates(logits, {.temperature = options_.temperature});
    mirostat_.keep(all);
  } else {
    all = candidates(logits, options_);
  }
  if (options_.xtc.probability > 0 && rng_.chance(options_.xtc.probability)) {
    std::sort(all.begin(), all.end(), likelier);
    exclude_top_choices(all, options_.xtc.threshold);
  }
  Candidate drawn;
  double left = rng_.uniform();
  for (const Candidate& c : all) {
    if (c.probability > 0) drawn = c;
    left -= c.probability;
    if (left < 0) break;
  }
  mirostat_.drew(drawn.probability);
  return drawn.id;
}

std::span<const float> Sampler::changed(std::span<const float> logits) {
  if (!changes_logits_) return logits;
  scratch_.assign(logits.begin(), logits.end());
  change(scratch_);
  return scratch_;
}

int32_t Sampler::sample(std::span<const float> logits) {
  logits = changed(logits);
  const int32_t id = is_greedy() ? argmax(logits) : draw(logits);
  taken(id);
  return id;
}

}  // namespace malssi
