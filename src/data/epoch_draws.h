// Which records each optimiser step learns from: shuffled anew each epoch; steps may cross from one epoch into the next. A record's
// weight says how often it comes in an epoch, on average: 2 = twice, 0.5 = in every other one.
#pragma once

#include <cstdint>
#include <vector>

#include "base/json.h"

namespace malssi {

// The records of one epoch, in their order, with repetitions. Over many epochs a record of weight w comes w times an epoch; in one
// epoch w times, rounded up or down, and of records side by side with the same weight as many come as their sum says. Empty
// weights: `count` records of weight 1.
std::vector<int32_t> epoch_records(int64_t count, const std::vector<double>& weights,
                                   int64_t epoch);

class EpochDraws {
 public:
  EpochDraws(int64_t count, std::vector<double> weights, uint64_t seed);

  std::vector<int64_t> next(int64_t count);
  // Records of an epoch, on average.
  double per_epoch() const { return per_epoch_; }

  // How many were drawn so far.
  int64_t drawn() const { return drawn_; }
  void restore(int64_t drawn);

 private:
  void plan(int64_t epoch);

  int64_t count_;
  std::vector<double> weights_;
  uint64_t seed_;
  double per_epoch_ = 0;
  std::vector<int32_t> order_;
  int64_t epoch_ = 0, position_ = 0, drawn_ = 0;
};

}  // namespace malssi
