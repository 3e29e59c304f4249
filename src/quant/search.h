// Searches for the scale of a run of numbers that loses least when they become small integers ("levels"). Each sums in one
// fixed order, in f32: another order, or a fused multiply-add, would now and then choose another level.
#pragma once

#include <bit>
#include <cstdint>

namespace malssi {

// Nearest integer, ties to even, of |x| < 2^22.
inline int nearest_level(float x) {
  return static_cast<int>(std::bit_cast<uint32_t>(x + 12582912.0f) & 0x007fffffu) - 0x00400000;
}
// The integer part; 0 of what is none (an infinite quotient of numbers too small for a scale).
inline int whole_part(float x) {
  return x > -2147483648.0f && x < 2147483648.0f ? static_cast<int>(x) : 0;
}

inline int clamp_level(int level, int least, int most) {
  return level < least ? least : level > most ? most : level;
}

inline constexpr int kLongestRun = 32;
// Runs whose largest number is below count as zeros.
inline constexpr float kAllZero = 1e-15f;

// The number of the largest magnitude, the first of equals; 0 of all zeros.
float largest_magnitude(const float* x, int n);
// x ~ scale (level - half), level 0 .. 2 half - 1, least squares weighted by weights, or by x^2 where they are null.
float fit_symmetric(int n, int half, const float* x, const float* weights, uint8_t* levels);
// The same weighted by x^2, by single exchanges from the obvious scale.
float fit_symmetric_by_exchange(int n, int half, const float* x, uint8_t* levels);

struct AffineSearch {
  float first = 0, step = 0;  // offsets of the number of levels that are tried: first + step i
  int steps = 0;
  bool absolute = false;  // minimise the sum of magnitudes instead of squares
};
// With an importance matrix every affine format searches alike.
inline constexpr AffineSearch kImportanceSearch = {-0.9f, 0.05f, 36};

struct AffineFit {
  float scale = 0;
  float min = 0;  // at least 0
};
// x ~ scale level - min, level 0 .. most.
AffineFit fit_affine(int n, int most, const float* x, const float* weights, uint8_t* levels,
                     const AffineSearch& search);
// x ~ scale level of numbers above 0, level 0 .. most.
float fit_positive(int n, int most, const float* x, const float* weights, uint8_t* levels);

float sum_of_squares(const float* x, int64_t n);
// weights[i] = importance[i] sqrt(variance + x[i]^2)
void weigh(int n, const float* x, const float* importance, float variance, float* weights);

}  // namespace malssi
