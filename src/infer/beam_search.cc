#include "infer/beam_search.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "infer/logprobs.h"
#include "infer/sampler.h"

namespace malssi {

EarlyStopping early_stopping_from(std::string_view name) {
  if (name == "heuristic") return EarlyStopping::heuristic;
  if (name == "when-full") return EarlyStopping::when_full;
  if (name == "never") return EarlyStopping::never;
  throw Error(concat("early stopping is \"", name, "\": it must be heuristic, when-full or never"));
}

void check_beams(const BeamOptions& options) {
  REQUIRE(options.beams >= 1 && options.beams <= 1024, "beams is ", options.beams,
          ": it must be between 1 and 1024");
  REQUIRE(options.n_best >= 1 && options.n_best <= options.beams, "n-best is ", options.n_best,
          ": it must be between 1 and the number of beams, ", options.beams);
  REQUIRE(std::isfinite(options.length_penalty), "length penalty is ", options.length_penalty,
          ": it must be a number (1 is usual, 0 is off)");
  REQUIRE(options.max_tokens >= 1, "max tokens is ", options.max_tokens, ": it must be at least 1");
  REQUIRE(options.repetition_penalty > 0, "repetition penalty is ", options.repetition_penalty,
          ": it must be above 0");
}

BeamSearch::BeamSearch(BeamOptions options, std::span<const int32_t> prompt)
    : options_(std::move(options)), prompt_(prompt.begin(), prompt.end()), beams_(1) {
  check_beams(options_);
}

const std::vector<BeamSearch::Step>& BeamSearch::advance(std::span<const float> logprobs,
                                                         int64_t vocab) {
  CHECK(!beams_.empty() &&
            static_cast<int64_t>(logprobs.size()) == static_cast<int64_t>(beams_.size()) * vocab,
        "log-probabilities do not fit ", beams_.size(), " beams");
  std::vector<float> penalised;
  if (options_.repetition_penalty != 1.0) {
    penalised.assign(logprobs.begin(), logprobs.end());
    penalise(penalised, vocab);
    logprobs = penalised;
  }
  const std::vector<Continuation> best = best_continuations(logprobs, vocab);
  ++length_;
  std::vector<Beam> next;
  steps_.clear();
  for (size_t rank = 0; rank < best.size(); ++rank) {
    Beam beam = extend(best[rank]);
    const bool ends = ended(beam);
    if (ends || length_ >= options_.max_tokens) {
      if (static_cast<int64_t>(rank) < options_.beams) add_finished(std::move(beam), ends);
    } else if (static_cast<int64_t>(next.size()) < options_.beams) {
      next.push_back(std::move(beam));
      steps_.push_back({.parent = best[rank].parent, .token = best[rank].token});
    }
  }
  beams_ = std::move(next);
  if (is_over()) {
    beams_.clear();
    steps_.clear();
  }
  return steps_;
}

std::vector<BeamAnswer> BeamSearch::answers() const {
  std::vector<BeamAnswer> best = finished_;
  if (best.empty() && length_ > 0)
    for (const Beam& beam : beams_)
      best.push_back({.ids = beam.ids,
                      .logprobs = beam.logprobs,
                      .logprob = beam.logprob,
                      .score = score(beam.logprob, length_),
                      .ended = false});
  if (static_cast<int64_t>(best.size()) > options_.n_best)
    best.resize(static_cast<size_t>(options_.n_best));
  return best;
}

// The (1 + end tokens, at least 2) x beams likeliest continuations, best first; among equals the
// earlier beam, then the lower token.
std::vector<BeamSearch::Continuation> BeamSearch::best_continuations(
    std::span<const float> logprobs, int64_t vocab) const {
  const auto keep = static_cast<size_t>(
      options_.beams * std::max<int64_t>(2, 1 + static_cast<int64_t>(options_.end_tokens.size())));
  const auto better = [](const Continuation& a, const Continuation& b) {
    if (a.logprob != b.logprob) return a.logprob > b.logprob;
    return a.parent != b.parent ? a.parent < b.parent : a.token < b.token;
  };
  std::vector<Continuation> heap;  // its top is the worst kept one
  for (size_t parent = 0; parent < beams_.size(); ++parent) {
    for (int64_t token = 0; token < vocab; ++token) {
      const double p = logprobs[parent * static_cast<size_t>(vocab) + static_cast<size_t>(token)];
      if (p == -std::numeric_limits<double>::infinity()) continue;
      const Continuation candidate{.logprob = beams_[parent].logprob + p,
                                   .parent = static_cast<int64_t>(parent),
                                   .token = static_cast<int32_t>(token),
                                   .token_logprob = p};
      if (heap.size() == keep) {
        if (!better(candidate, heap.front())) continue;
        std::pop_heap(heap.begin(), heap.end(), better);
        heap.pop_back();
      }
      heap.push_back(candidate);
      std::push_heap(heap.begin(), heap.end(), better);
    }
  }
  std::sort_heap(heap.begin(), heap.end(), better);
  return heap;
}

void BeamSearch::penalise(std::span<float> logprobs, int64_t vocab) const {
  for (size_t i = 0; i < beams_.size(); ++i) {
    std::vector<int32_t> seen = prompt_;
    seen.insert(seen.end(), beams_[i].ids.begin(), beams_[i].ids.end());
    std::sort(seen.begin(), seen.end());
    seen.erase(std::unique(seen.begin(), seen.end()), seen.end());
    const auto row = static_cast<size_t>(vocab);
    penalise_repetition(logprobs.subspan(i * row, row), seen, options_.repetition_penalty);
  }
}

BeamSearch::Beam BeamSearch::extend(const Continuation& continuation) const {
  Beam beam = beams_[static_cast<size_t>(continuation.parent)];
  beam.ids.push_back(continuation.token);
  beam.logprobs.push_back(continuation.token_logprob);
  beam.logprob = continuation.logprob;
  return beam;
}

bool BeamSearch::ended(const Beam& beam) const {
  const auto& ends = options_.end_tokens;
  return std::find(ends.begin(), ends.end(), beam.ids.back()) != ends.end() ||
         (options_.ends && options_.ends(beam.ids));
}

void BeamSearch::add_finished(Beam beam, bool ended) {
  BeamAnswer answer{.ids = std::move(beam.ids),
                    .logprobs = std::move(beam.logprobs),
                    .logprob = beam.logprob,
                    .score = score(beam.logprob, length_),
                    .ended = ended};
  const auto place =
      std::upper_bound(finished_.begin(), finished_.end(), answer.score,
                       [](double score, const BeamAnswer& other) { return score > other.score; });
  finished_.insert(place, std::move(answer));
  if (static_cast<int64_t>(finished_.size()) > options_.beams) finished_.pop_back();
}

bool BeamSearch::is_over() const {
  if (beams_.empty()) return true;
  if (static_cast<int64_t>(finished_.size()) < options_.beams) return false;
  if (options_.early_stopping == EarlyStopping::when_full) return true;
  const bool hopeful =
      options_.early_stopping == EarlyStopping::never && options_.length_penalty > 0;
  const double attainable = score(beams_.front().logprob, hopeful ? options_.max_tokens : length_);
  return attainable <= finished_.back().score;
}

double BeamSearch::score(double logprob, int64_t length) const {
  return logprob / std::pow(static_cast<double>(length), options_.length_penalty);
}

namespace {

// Which cache slot each beam lives in. A beam's first child stays in its slot; others get copies in
// slots whose beam died, so that no more than `beams` slots are needed.
class BeamSlots {
 public:
  BeamSlots(Predictor& predictor, int64_t slots)
      : predictor_(predictor), slot_count_(slots), slots_{0} {}

  void follow(const std::vector<BeamSearch::Step>& steps) {
    std::vector<bool> taken(static_cast<size_t>(slot_count_));
    std::vector<int64_t> next(steps.size(), -1);
    for (size_t i = 0; i < steps.size(); ++i) {
      const int64_t slot = slots_[static_cast<size_t>(steps[i].parent)];
      if (taken[static_cast<size_t>(slot)]) continue;
      taken[static_cast<size_t>(slot)] = true;
      next[i] = slot;
    }
    for (size_t i = 0; i < steps.size(); ++i) {
      if (next[i] >= 0) continue;
      const auto free = std::find(taken.begin(), taken.end(), false);
      next[i] = free - taken.begin();
      *free = true;
      predictor_.copy(slots_[static_cast<size_t>(steps[i].parent)], next[i]);
    }
    slots_ = std::move(next);
  }

  int64_t operator[](size_t beam) const { return slots_[beam]; }

 private:
  Predictor& predictor_;
  int64_t slot_count_;
  std::vector<int64_t> slots_;  // by beam
};

// logits [rows, vocab] -> log-probabilities [rows, usable].
std::vector<float> usable_logprobs(std::span<const float> logits, int64_t vocab, int64_t usable) {
  std::vector<float> out;
  for (size_t row = 0; row < logits.size(); row += static_cast<size_t>(vocab)) {
    const auto some = logits.subspan(row, static_cast<size_t>(usable));
    out.insert(out.end(), some.begin(), some.end());
    log_softmax(std::span(out).last(static_cast<size_t>(usable)));
  }
  return out;
}

}  // namespace

std::vector<BeamAnswer> beam_search(Predictor& predictor, std::span<const int32_t> prompt,
                                    const BeamOptions& options, int64_t usable_vocab,
                                    const std::function<bool()>& cancelled) {
  const int64_t vocab = predictor.vocab();
  const int64_t usable = usable_vocab > 0 ? std::min(usable_vocab, vocab) : vocab;
  CHECK(predictor.slots() >= options.beams, "beam search needs a slot for each beam");
  BeamSearch search(options, prompt);
  BeamSlots slots(predictor, options.beams);
  predictor.truncate(0, 0);
  std::span<const float> logits = prefill(predictor, 0, prompt, cancelled);
  while (!logits.empty()) {
    const std::vector<BeamSearch::Step>& steps =
        search.advance(usable_logprobs(logits, vocab, usable), usable);
    if (steps.empty() || (cancelled && cancelled())) break;
    slots.follow(steps);
    std::vector<Predictor::Piece> pieces;
    for (size_t i = 0; i < steps.size(); ++i)
      pieces.push_back({.slot = slots[i], .ids = {&steps[i].token, 1}});
    logits = predictor.feed(pieces);
  }
  return search.answers();
}

}  // namespace malssi
