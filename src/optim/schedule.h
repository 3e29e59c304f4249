// Learning-rate schedules: a linear warm-up to the peak, then one of four curves down to the floor.
//   cosine    half a cosine from peak to floor (Loshchilov, Hutter 2017)
//   linear    a straight line from peak to floor
//   wsd       warm-up, stable, decay: the peak, then a straight line over the last part (Hu et al.
//   2024) constant  the peak, to the end
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace malssi {

struct ScheduleOptions {
  std::string kind = "cosine";
  double peak = 1e-3;
  double floor = 0.0;           // where cosine, linear and wsd end
  int64_t warmup = 0;           // steps of warm-up
  int64_t steps = 1;            // length of the whole run
  double decay_fraction = 0.2;  // wsd: the part of the run that decays
};

// The names of all curves.
const std::vector<std::string>& schedule_kinds();

// Throws Error for an unknown curve or figures that make no sense.
class Schedule {
 public:
  explicit Schedule(ScheduleOptions options);

  // The rate of a step; the first is step 0. Steps past the end stay at the end's rate.
  double at(int64_t step) const;

  const ScheduleOptions& options() const { return options_; }

 private:
  double curve(int64_t step) const;  // height between floor (0) and peak (1), after the warm-up

  ScheduleOptions options_;
};

}  // namespace malssi
