#include "eval/divergence.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/error.h"
#include "base/parallel.h"

namespace malssi {
namespace {

constexpr int64_t kRowsAtOnce = 64;  // of logits

// Logits of one row, and log of the sum of their exponentials.
struct Row {
  const float* logits;
  double log_sum = 0;
  int64_t best = 0;

  Row(const float* row, int64_t vocab) : logits(row) {
    best = std::max_element(row, row + vocab) - row;
    double sum = 0;
    for (int64_t i = 0; i < vocab; ++i) sum += std::exp(double{row[i]} - row[best]);
    log_sum = row[best] + std::log(sum);
  }
  double log_probability(int64_t id) const { return logits[id] - log_sum; }
};

Divergence compare(const float* original, const float* changed, int64_t vocab, int32_t next) {
  const Row p(original, vocab), q(changed, vocab);
  double sum = 0;
  for (int64_t i = 0; i < vocab; ++i) {
    const double log_p = p.log_probability(i);
    sum += std::exp(log_p) * (log_p - q.log_probability(i));
  }
  return {.tokens = 1,
          .divergence = sum,
          .worst = sum,
          .same_best = p.best == q.best ? 1 : 0,
          .nll_original = -p.log_probability(next),
          .nll_changed = -q.log_probability(next)};
}

// Of the predictions made at `first` and after.
Divergence measure_window(Model& original, Model& changed, std::span<const int32_t> ids,
                          int64_t first) {
  const auto count = static_cast<int64_t>(ids.size());
  CausalBatch one({0, static_cast<int32_t>(count)}), other({0, static_cast<int32_t>(count)});
  const Tensor hidden_p = original.hidden(ids, one), hidden_q = changed.hidden(ids, other);
  const int64_t vocab = original.config().vocab;
  Divergence total;
  for (int64_t begin = first; begin + 1 < count; begin += kRowsAtOnce) {
    const int64_t rows = std::min(kRowsAtOnce, count - 1 - begin);
    const Tensor p = original.logits(hidden_p.rows(begin, begin + rows));
    const Tensor q = changed.logits(hidden_q.rows(begin, begin + rows));
    std::vector<Divergence> each(static_cast<size_t>(rows));
    parallel_for(rows, 1, [&](int64_t from, int64_t to) {
      for (int64_t row = from; row < to; ++row)
        each[static_cast<size_t>(row)] = compare(p.f32() + row * vocab, q.f32() + row * vocab,
                                                 vocab, ids[static_cast<size_t>(begin + row + 1)]);
    });
    for (const Divergence& one : each) total += one;
  }
  return total;
}

void check_vocabularies(const Model& original, const Model& changed) {
  REQUIRE(original.config().vocab == changed.config().vocab, "the models have vocabularies of ",
          original.config().vocab, " and ", changed.config().vocab,
          " tokens: they cannot be compared");
}

}  // namespace

double Divergence::mean() const { return divergence / static_cast<double>(tokens); }
double Divergence::perplexity_original() const {
  return std::exp(nll_original / static_cast<double>(tokens));
}
double Divergence::perplexity_changed() const {
  return std::exp(nll_changed / static_cast<double>(tokens));
}

Divergence& Divergence::operator+=(const Divergence& other) {
  tokens += other.tokens;
  divergence += other.divergence;
  worst = std::max(worst, other.worst);
  same_best += other.same_best;
  nll_original += other.nll_original;
  nll_changed += other.nll_changed;
  return *this;
}

Divergence measure_continuation(Model& original, Model& changed, std::span<const int32_t> ids,
                                int64_t prompt) {
  check_vocabularies(original, changed);
  CHECK(prompt >= 1, "a continuation of nothing");
  return measure_window(original, changed, ids, prompt - 1);
}

Divergence measure_divergence(Model& original, Model& changed, std::span<const int32_t> ids,
                              int64_t window,
                              const std::function<void(int64_t tokens)>& on_progress) {
  check_vocabularies(original, changed);
  Divergence total;
  for (size_t at = 0; at < ids.size(); at += static_cast<size_t>(window)) {
    const auto piece = ids.subspan(at, std::min(ids.size() - at, static_cast<size_t>(window)));
    total += measure_window(original, changed, piece, 0);
    if (on_progress) on_progress(static_cast<int64_t>(piece.size()));
  }
  return total;
}

}  // namespace malssi
