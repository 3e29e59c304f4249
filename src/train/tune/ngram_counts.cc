#include "train/tune/ngram_counts.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/error.h"
#include "train/tune/label_loss.h"

namespace malssi {
namespace {

void subtract_mean(std::vector<double>& scores) {
  const double sum = std::accumulate(scores.begin(), scores.end(), 0.0);
  for (double& each : scores) each -= sum / static_cast<double>(scores.size());
}

std::vector<float> scaled(const std::vector<double>& scores, double scale) {
  std::vector<float> result;
  for (const double score : scores) result.push_back(static_cast<float>(scale * score));
  return result;
}

// Where a convex function is least between two numbers.
template <class F>
double least(double low, double high, F&& f) {
  for (int i = 0; i < 40; ++i) {
    const double a = (2 * low + high) / 3, b = (low + 2 * high) / 3;
    (f(a) < f(b) ? high : low) = f(a) < f(b) ? b : a;
  }
  return (low + high) / 2;
}

}  // namespace

NgramCounts::NgramCounts(const LabelledSet& texts, const Labels& labels)
    : texts_(texts), labels_(labels.size()) {
  CHECK(labels.ngrams.buckets > 0, "labels with a table of n-grams");
  counts_.assign(static_cast<size_t>(labels.ngrams.buckets * labels_), 0);
  totals_.assign(static_cast<size_t>(labels_), 0);
  for (const LabelledSequence& text : texts.sequences) {
    for (const int64_t bucket : text.ngrams)
      ++counts_[static_cast<size_t>(bucket * labels_ + text.label)];
    totals_[static_cast<size_t>(text.label)] += std::ssize(text.ngrams);
  }
  for (auto row = counts_.begin(); row != counts_.end(); row += labels_)
    distinct_ += std::any_of(row, row + labels_, [](int64_t count) { return count > 0; });
  choose_scale();
}

std::vector<double> NgramCounts::unscaled_without(int64_t i) const {
  const LabelledSequence& text = texts_.sequences[static_cast<size_t>(i)];
  const auto labels = static_cast<size_t>(labels_), own = static_cast<size_t>(text.label);
  std::vector<double> floors, scores(labels, 0);
  for (size_t label = 0; label < labels; ++label) {
    const int64_t total = totals_[label] - (label == own ? std::ssize(text.ngrams) : 0);
    floors.push_back(std::log(static_cast<double>(total + distinct_)));
  }
  for (const int64_t bucket : text.ngrams) {
    const int64_t* row = counts_.data() + bucket * labels_;
    if (std::accumulate(row, row + labels, int64_t{0}) == 1) continue;  // no other text has it
    for (size_t label = 0; label < labels; ++label)
      scores[label] +=
          std::log(static_cast<double>(row[label] + 1 - (label == own))) - floors[label];
  }
  subtract_mean(scores);
  return scores;
}

void NgramCounts::choose_scale() {
  std::vector<std::vector<double>> scores;
  for (int64_t i = 0; i < texts_.size(); ++i) scores.push_back(unscaled_without(i));
  scale_ = least(0, 1, [&](double scale) {
    double loss = 0;
    for (size_t i = 0; i < scores.size(); ++i)
      loss += class_loss(scaled(scores[i], scale), texts_.sequences[i].label, 1).value;
    return loss;
  });
}

std::vector<float> NgramCounts::scores_without(int64_t i) const {
  return scaled(unscaled_without(i), scale_);
}

double NgramCounts::accuracy() const {
  int64_t right = 0;
  for (int64_t i = 0; i < texts_.size(); ++i) {
    const std::vector<double> scores = unscaled_without(i);
    const auto best = std::max_element(scores.begin(), scores.end());
    right += best - scores.begin() == texts_.sequences[static_cast<size_t>(i)].label;
  }
  return static_cast<double>(right) / static_cast<double>(texts_.size());
}

void NgramCounts::fill(Tensor table) const {
  CHECK(table.size() == std::ssize(counts_), "a table of these n-grams");
  for (int64_t at = 0; at < table.size(); at += labels_) {
    const int64_t* row = counts_.data() + at;
    const bool is_seen = std::accumulate(row, row + labels_, int64_t{0}) > 0;
    std::vector<double> scores(static_cast<size_t>(labels_), 0);
    for (size_t label = 0; label < scores.size() && is_seen; ++label)
      scores[label] = std::log(static_cast<double>(row[label] + 1)) -
                      std::log(static_cast<double>(totals_[label] + distinct_));
    subtract_mean(scores);
    for (size_t label = 0; label < scores.size(); ++label)
      table.f32()[at + static_cast<int64_t>(label)] = static_cast<float>(scale_ * scores[label]);
  }
}

}  // namespace malssi
