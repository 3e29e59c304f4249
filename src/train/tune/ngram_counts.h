// What the n-grams of labelled texts say of labels: naive Bayes over the n-grams that a text holds, each once (Wang, Manning 2012:
// Baselines and Bigrams), with one count added to each, on a scale under which the labels of texts left out are likeliest.
#pragma once

#include <vector>

#include "models/classifier.h"
#include "train/tune/classify_objective.h"

namespace malssi {

class NgramCounts {
 public:
  // Of the texts' buckets, each text once. The labels have a table of n-grams: CHECK.
  NgramCounts(const LabelledSet& texts, const Labels& labels);

  // Fills [buckets, labels]: scale * log p(n-gram | label), less the mean over the labels; zeros where no text has the n-gram.
  void fill(Tensor table) const;
  // The scores of text i by the counts of all others.
  std::vector<float> scores_without(int64_t i) const;
  double scale() const { return scale_; }
  // Of the texts, how many scores_without() gets right.
  double accuracy() const;

 private:
  std::vector<double> unscaled_without(int64_t i) const;
  void choose_scale();

  const LabelledSet& texts_;
  int64_t labels_;
  std::vector<int64_t> counts_;  // [buckets, labels]: texts that hold the n-gram
  std::vector<int64_t> totals_;  // [labels]: sums of counts_
  int64_t distinct_ = 0;         // buckets with a count
  double scale_ = 1;
};

}  // namespace malssi
