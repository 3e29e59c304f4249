// How good a judge's choices are: the share that is right, with its uncertainty, and whether the judge is as sure as it may be.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace malssi {

struct Interval {
  double low = 0, high = 1;
};

// 95% confidence of a share seen in n trials (Wilson 1927). n 0: anything.
Interval share_interval(double share, int64_t n);
// Where a figure of that name, a share seen in n trials, is among them: adds its interval as NAME_low and NAME_high.
void add_interval(std::vector<std::pair<std::string, double>>& figures, const std::string& name,
                  int64_t n);

// Expected calibration error (Naeini et al. 2015; Guo et al. 2017) over ten bins of confidence between 1/2 and 1: how far, on
// average, the judge's confidence in its choice is from the share of its choices that are right.
class Calibration {
 public:
  // probability: of the answer that people liked better, as the judge sees it.
  void add(double probability, double weight = 1);
  double error() const;  // 0 when nothing was added

 private:
  struct Bin {
    double weight = 0, confidence = 0, right = 0;
  };
  std::array<Bin, 10> bins_ = {};
};

}  // namespace malssi
