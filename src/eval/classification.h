// How good a classifier's or a regression's answers are.
#pragma once

#include <cstdint>
#include <vector>

#include "train/align/calibration.h"

namespace malssi {

// Counts of texts by true class (row) and answer (column).
class Confusion {
 public:
  explicit Confusion(int64_t classes);
  void add(int64_t truth, int64_t answer);

  int64_t classes() const { return classes_; }
  int64_t count() const { return count_; }
  int64_t at(int64_t truth, int64_t answer) const;
  int64_t of_class(int64_t truth) const;  // texts that are of it
  int64_t answered(int64_t answer) const;

  double accuracy() const;    // 0 when nothing was added
  Interval interval() const;  // 95% confidence of the accuracy (Wilson 1927)
  // 0 where nothing was answered, is of the class, or both.
  double precision(int64_t label) const;
  double recall(int64_t label) const;
  double f1(int64_t label) const;
  double macro_f1() const;  // the mean over classes that occur as truth or answer

 private:
  int64_t classes_;
  int64_t count_ = 0;
  std::vector<int64_t> counts_;
};

struct RegressionScores {
  double mean_squared_error = 0;
  double r_squared = 0;  // share of the variance explained; NaN where all truths are the same
  double pearson = 0;    // NaN where truths or answers are all the same
  double spearman = 0;   // of ranks, ties sharing theirs
};
// The same number of truths and answers, at least one.
RegressionScores regression_scores(const std::vector<double>& truths,
                                   const std::vector<double>& answers);

}  // namespace malssi
