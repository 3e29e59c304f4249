#include "eval/classification.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/error.h"

namespace malssi {
namespace {

double share(int64_t part, int64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

double mean(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double correlation(const std::vector<double>& a, const std::vector<double>& b) {
  const double a_mean = mean(a), b_mean = mean(b);
  double both = 0, a_squares = 0, b_squares = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    both += (a[i] - a_mean) * (b[i] - b_mean);
    a_squares += (a[i] - a_mean) * (a[i] - a_mean);
    b_squares += (b[i] - b_mean) * (b[i] - b_mean);
  }
  return both / std::sqrt(a_squares * b_squares);
}

std::vector<double> ranks(const std::vector<double>& values) {
  std::vector<size_t> order(values.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return values[a] < values[b]; });
  std::vector<double> result(values.size());
  for (size_t begin = 0; begin < order.size();) {
    size_t end = begin;
    while (end < order.size() && values[order[end]] == values[order[begin]]) ++end;
    for (size_t i = begin; i < end; ++i)
      result[order[i]] = static_cast<double>(begin + end - 1) / 2;
    begin = end;
  }
  return result;
}

}  // namespace

Confusion::Confusion(int64_t classes)
    : classes_(classes), counts_(static_cast<size_t>(classes * classes), 0) {}

void Confusion::add(int64_t truth, int64_t answer) {
  CHECK(truth >= 0 && truth < classes_ && answer >= 0 && answer < classes_, "class ", truth, " or ",
        answer, " of ", classes_);
  ++counts_[static_cast<size_t>(truth * classes_ + answer)];
  ++count_;
}

int64_t Confusion::at(int64_t truth, int64_t answer) const {
  return counts_[static_cast<size_t>(truth * classes_ + answer)];
}

int64_t Confusion::of_class(int64_t truth) const {
  int64_t sum = 0;
  for (int64_t answer = 0; answer < classes_; ++answer) sum += at(truth, answer);
  return sum;
}

int64_t Confusion::answered(int64_t answer) const {
  int64_t sum = 0;
  for (int64_t truth = 0; truth < classes_; ++truth) sum += at(truth, answer);
  return sum;
}

double Confusion::accuracy() const {
  int64_t right = 0;
  for (int64_t label = 0; label < classes_; ++label) right += at(label, label);
  return share(right, count_);
}

Interval Confusion::interval() const { return share_interval(accuracy(), count_); }

double Confusion::precision(int64_t label) const {
  return share(at(label, label), answered(label));
}

double Confusion::recall(int64_t label) const { return share(at(label, label), of_class(label)); }

double Confusion::f1(int64_t label) const {
  return share(2 * at(label, label), of_class(label) + answered(label));
}

double Confusion::macro_f1() const {
  double sum = 0;
  int64_t present = 0;
  for (int64_t label = 0; label < classes_; ++label) {
    if (of_class(label) + answered(label) == 0) continue;
    sum += f1(label);
    ++present;
  }
  return present == 0 ? 0 : sum / static_cast<double>(present);
}

RegressionScores regression_scores(const std::vector<double>& truths,
                                   const std::vector<double>& answers) {
  CHECK(!truths.empty() && truths.size() == answers.size(), "as many truths as answers");
  double errors = 0, variance = 0;
  const double centre = mean(truths);
  for (size_t i = 0; i < truths.size(); ++i) {
    errors += (answers[i] - truths[i]) * (answers[i] - truths[i]);
    variance += (truths[i] - centre) * (truths[i] - centre);
  }
  return {.mean_squared_error = errors / static_cast<double>(truths.size()),
          .r_squared = variance > 0 ? 1 - errors / variance : std::nan(""),
          .pearson = correlation(truths, answers),
          .spearman = correlation(ranks(truths), ranks(answers))};
}

}  // namespace malssi
