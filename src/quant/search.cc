#include "quant/search.h"

#include <algorithm>
#include <cmath>

namespace malssi {
namespace {

struct Sums {
  float xl = 0;  // of w x level
  float ll = 0;  // of w level^2
};

Sums symmetric_sums(int n, int half, float inverse, const float* x, const float* weights) {
  Sums sums;
  for (int i = 0; i < n; ++i) {
    const int level = clamp_level(nearest_level(inverse * x[i]), -half, half - 1);
    const auto l = static_cast<float>(level);
    const float w = weights ? weights[i] : x[i] * x[i];
    sums.xl += w * x[i] * l;
    sums.ll += w * l * l;
  }
  return sums;
}

void set_symmetric_levels(int n, int half, float inverse, const float* x, uint8_t* levels) {
  for (int i = 0; i < n; ++i)
    levels[i] =
        static_cast<uint8_t>(half + clamp_level(nearest_level(inverse * x[i]), -half, half - 1));
}

// Numbers and weights of an affine fit, and what does not change with the scale tried.
struct AffineRun {
  int n, most;
  const float *x, *weights;
  float lowest = 0, highest = 0;  // of x; the lowest is at most 0
  float sum_w = 0, sum_wx = 0;
};

AffineRun affine_run(int n, int most, const float* x, const float* weights) {
  AffineRun run{n, most, x, weights};
  run.lowest = run.highest = x[0];
  run.sum_w = weights[0];
  run.sum_wx = run.sum_w * x[0];
  for (int i = 1; i < n; ++i) {
    if (x[i] < run.lowest) run.lowest = x[i];
    if (x[i] > run.highest) run.highest = x[i];
    run.sum_w += weights[i];
    run.sum_wx += weights[i] * x[i];
  }
  if (run.lowest > 0) run.lowest = 0;
  return run;
}

struct AffineSums {
  float l = 0, ll = 0, xl = 0;
};

// Levels of `most` steps more or less between the offset and the highest number.
AffineSums set_affine_levels(const AffineRun& run, float steps, float offset, uint8_t* levels) {
  const float inverse = steps / (run.highest - offset);
  AffineSums sums;
  for (int i = 0; i < run.n; ++i) {
    const int level = clamp_level(nearest_level(inverse * (run.x[i] - offset)), 0, run.most);
    levels[i] = static_cast<uint8_t>(level);
    const auto l = static_cast<float>(level);
    const float w = run.weights[i];
    sums.l += w * l;
    sums.ll += w * l * l;
    sums.xl += w * l * run.x[i];
  }
  return sums;
}

float affine_error(const AffineRun& run, const uint8_t* levels, float scale, float offset,
                   bool absolute) {
  float error = 0;
  for (int i = 0; i < run.n; ++i) {
    const float difference = scale * static_cast<float>(levels[i]) + offset - run.x[i];
    error += run.weights[i] * (absolute ? std::fabs(difference) : difference * difference);
  }
  return error;
}

float positive_error(int n, int most, float inverse, const float* x, const float* weights) {
  const float scale = 1 / inverse;
  float error = 0;
  for (int i = 0; i < n; ++i) {
    const int level = std::min(most, nearest_level(inverse * x[i]));
    const float difference = x[i] - scale * static_cast<float>(level);
    error += weights[i] * difference * difference;
  }
  return error;
}

// Moves single levels while that lowers the error; at most five rounds.
Sums exchange_positive_levels(int n, int most, const float* x, const float* weights,
                              uint8_t* levels, Sums sums) {
  for (int round = 0; round < 5; ++round) {
    bool changed = false;
    for (int i = 0; i < n; ++i) {
      const float w = weights[i];
      const auto old = static_cast<float>(levels[i]);
      float xl = sums.xl - w * x[i] * old;
      float ll = sums.ll - w * old * old;
      if (!(xl > 0 && ll > 0)) continue;
      const int level = std::min(most, nearest_level(x[i] * ll / xl));
      if (level == levels[i]) continue;
      const auto l = static_cast<float>(level);
      xl += w * x[i] * l;
      ll += w * l * l;
      if (!(xl * xl * sums.ll > sums.xl * sums.xl * ll)) continue;
      levels[i] = static_cast<uint8_t>(level);
      sums = {xl, ll};
      changed = true;
    }
    if (!changed) break;
  }
  return sums;
}

// The same for levels around zero, weighted by x^2.
Sums exchange_symmetric_levels(int n, int half, const float* x, int* levels, Sums sums) {
  for (int round = 0; round < 5; ++round) {
    bool changed = false;
    for (int i = 0; i < n; ++i) {
      const float w = x[i] * x[i];
      const auto old = static_cast<float>(levels[i]);
      float xl = sums.xl - w * x[i] * old;
      if (!(xl > 0)) continue;
      float ll = sums.ll - w * old * old;
      const int level = clamp_level(nearest_level(x[i] * ll / xl), -half, half - 1);
      if (level == levels[i]) continue;
      const auto l = static_cast<float>(level);
      xl += w * x[i] * l;
      ll += w * l * l;
      if (!(ll > 0 && xl * xl * sums.ll > sums.xl * sums.xl * ll)) continue;
      levels[i] = level;
      sums = {xl, ll};
      changed = true;
    }
    if (!changed) break;
  }
  return sums;
}

}  // namespace

float largest_magnitude(const float* x, int n) {
  float largest = 0, magnitude = 0;
  for (int i = 0; i < n; ++i)
    if (std::fabs(x[i]) > magnitude) magnitude = std::fabs(x[i]), largest = x[i];
  return largest;
}

float fit_symmetric(int n, int half, const float* x, const float* weights, uint8_t* levels) {
  const float largest = largest_magnitude(x, n);
  if (std::fabs(largest) < kAllZero) {
    std::fill(levels, levels + n, uint8_t{0});
    return 0;
  }
  const auto levels_below = static_cast<float>(half);
  float inverse = -levels_below / largest;
  set_symmetric_levels(n, half, inverse, x, levels);
  Sums sums = symmetric_sums(n, half, inverse, x, weights);
  float scale = sums.ll != 0 ? sums.xl / sums.ll : 0;
  float best = scale * sums.xl;
  for (int step = -9; step <= 9; ++step) {
    if (step == 0) continue;
    inverse = -(levels_below + 0.1f * static_cast<float>(step)) / largest;
    sums = symmetric_sums(n, half, inverse, x, weights);
    if (!(sums.ll > 0 && sums.xl * sums.xl > best * sums.ll)) continue;
    set_symmetric_levels(n, half, inverse, x, levels);
    scale = sums.xl / sums.ll;
    best = scale * sums.xl;
  }
  return scale;
}

float fit_symmetric_by_exchange(int n, int half, const float* x, uint8_t* levels) {
  const float largest = largest_magnitude(x, n);
  if (std::fabs(largest) < kAllZero) {
    std::fill(levels, levels + n, uint8_t{0});
    return 0;
  }
  const float inverse = static_cast<float>(-half) / largest;
  int around_zero[kLongestRun];
  for (int i = 0; i < n; ++i)
    around_zero[i] = clamp_level(nearest_level(inverse * x[i]), -half, half - 1);
  const Sums sums = exchange_symmetric_levels(n, half, x, around_zero,
                                              symmetric_sums(n, half, inverse, x, nullptr));
  for (int i = 0; i < n; ++i) levels[i] = static_cast<uint8_t>(around_zero[i] + half);
  return sums.ll > 0 ? sums.xl / sums.ll : 0;
}

AffineFit fit_affine(int n, int most, const float* x, const float* weights, uint8_t* levels,
                     const AffineSearch& search) {
  const AffineRun run = affine_run(n, most, x, weights);
  if (run.highest <= run.lowest) {
    std::fill(levels, levels + n, uint8_t{0});
    return {0, -run.lowest};
  }
  const auto levels_above = static_cast<float>(most);
  float offset = run.lowest, scale = 1 / (levels_above / (run.highest - offset));
  set_affine_levels(run, levels_above, offset, levels);
  float best = affine_error(run, levels, scale, offset, search.absolute);
  uint8_t tried[kLongestRun];
  for (int i = 0; i <= search.steps; ++i) {
    // From the best offset so far on.
    const float steps = search.first + search.step * static_cast<float>(i) + levels_above;
    const AffineSums sums = set_affine_levels(run, steps, offset, tried);
    const float determinant = run.sum_w * sums.ll - sums.l * sums.l;
    if (!(determinant > 0)) continue;
    float new_scale = (run.sum_w * sums.xl - run.sum_wx * sums.l) / determinant;
    float new_offset = (sums.ll * run.sum_wx - sums.l * sums.xl) / determinant;
    if (new_offset > 0) {
      new_offset = 0;
      new_scale = sums.xl / sums.ll;
    }
    const float error = affine_error(run, tried, new_scale, new_offset, search.absolute);
    if (!(error < best)) continue;
    std::copy(tried, tried + n, levels);
    best = error;
    scale = new_scale;
    offset = new_offset;
  }
  return {scale, -offset};
}

float fit_positive(int n, int most, const float* x, const float* weights, uint8_t* levels) {
  float largest = 0;
  for (int i = 0; i < n; ++i) largest = std::max(largest, x[i]);
  if (largest < kAllZero) {
    std::fill(levels, levels + n, uint8_t{0});
    return 0;
  }
  float inverse = static_cast<float>(most) / largest;
  float best = positive_error(n, most, inverse, x, weights);
  for (int step = -4; step <= 4; ++step) {
    if (step == 0) continue;
    const float tried = (0.1f * static_cast<float>(step) + static_cast<float>(most)) / largest;
    const float error = positive_error(n, most, tried, x, weights);
    if (error < best) best = error, inverse = tried;
  }
  Sums sums;
  for (int i = 0; i < n; ++i) {
    const int level = std::min(most, nearest_level(inverse * x[i]));
    levels[i] = static_cast<uint8_t>(level);
    const auto l = static_cast<float>(levels[i]);
    sums.xl += weights[i] * x[i] * l;
    sums.ll += weights[i] * l * l;
  }
  sums = exchange_positive_levels(n, most, x, weights, levels, sums);
  return sums.ll > 0 ? sums.xl / sums.ll : 0;
}

float sum_of_squares(const float* x, int64_t n) {
  float sum = 0;
  for (int64_t i = 0; i < n; ++i) sum += x[i] * x[i];
  return sum;
}

void weigh(int n, const float* x, const float* importance, float variance, float* weights) {
  for (int i = 0; i < n; ++i) weights[i] = importance[i] * std::sqrt(variance + x[i] * x[i]);
}

}  // namespace malssi
