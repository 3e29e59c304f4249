// fit_affine() and fit_symmetric() of eight runs at once, one in each lane of a vector: every lane sums in the order of the scalar search, so that
// the results are the same to the bit.
#pragma once

#include <cstdint>

#include "quant/search.h"

namespace malssi {

struct EightRuns {
  static constexpr int kLanes = 8;

  // Number i of each run, side by side.
  alignas(32) float x[kLongestRun][kLanes];
  alignas(32) float weights[kLongestRun][kLanes];
  // Found:
  alignas(32) float levels[kLongestRun][kLanes];
  alignas(32) float scales[kLanes];
  alignas(32) float mins[kLanes];

  void set_run(int lane, int n, const float* numbers, const float* run_weights) {
    for (int i = 0; i < n; ++i) {
      x[i][lane] = numbers[i];
      weights[i][lane] = run_weights[i];
    }
  }
  void get_levels(int lane, int n, uint8_t* out) const {
    for (int i = 0; i < n; ++i) out[i] = static_cast<uint8_t>(levels[i][lane]);
  }
};

// Runs of n numbers, levels 0 .. most.
void fit_affine_eight(int n, int most, const AffineSearch& search, EightRuns& runs);
// Runs of n numbers, levels 0 .. 2 half - 1 around half; no minima.
void fit_symmetric_eight(int n, int half, EightRuns& runs);

}  // namespace malssi
