// What a run will cost, told before it starts: weights, tokens, floating-point operations, time.
#pragma once

#include <cstdint>
#include <string>

#include "kernels/dtype.h"

namespace malssi {

// Floating-point operations per second of this machine's matrix products, on all threads that are
// set: the best of a few products of 1024 x 1024 x 1024, about a tenth of a second. dtype: f32 or
// bf16.
double measure_ceiling(DType dtype);

struct RunEstimate {
  int64_t parameters = 0;
  int64_t tokens = 0;            // that the run will train on
  double flops = 0;              // of all training steps
  double ceiling = 0;            // measure_ceiling()
  double seconds_per_token = 0;  // of a trial step; 0 = none was made
};

// About how long the training steps take. Without a trial step: at half of the ceiling.
double estimated_seconds(const RunEstimate& estimate);

// "10.6M weights, 81.9M tokens, 5.3 PFLOP; about 3h 10m here (62% of the 468 GFLOP/s that this
// machine's bf16 products reach)"
std::string describe(const RunEstimate& estimate, DType dtype);

// Throws Error when weights, gradients, moments (bytes of both for one weight: 8 in f32) and what else training keeps for
// each weight are more than this machine's memory.
void check_training_fits(int64_t parameters, int64_t moment_bytes);

}  // namespace malssi
