// Numbers to quantise that are the same everywhere: made by integer arithmetic alone.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

namespace malssi {

inline uint64_t next_random(uint64_t& state) {
  state += 0x9e3779b97f4a7c15ull;
  uint64_t z = state;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
  return z ^ (z >> 31);
}

// Rows of different kinds, over and over: bell-shaped; with outliers; all zero; positive; all equal; sparse; tiny; uneven
// from block to block.
inline std::vector<float> numbers_to_pack(int64_t rows, int64_t columns) {
  uint64_t state = 2026;
  const auto bell = [&] {
    int64_t sum = 0;
    for (int i = 0; i < 4; ++i) sum += static_cast<int64_t>(next_random(state) >> 48);
    return static_cast<float>(sum - 2 * 65535) * 0x1p-17f;
  };
  std::vector<float> numbers;
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t i = 0; i < columns; ++i) {
      const float x = bell();
      const int64_t kind = row % 8;
      if (kind == 0) numbers.push_back(x);
      if (kind == 1) numbers.push_back(next_random(state) % 64 == 0 ? x * 32 : x);
      if (kind == 2) numbers.push_back(0);
      if (kind == 3) numbers.push_back(x < 0 ? -x : x + 0.125f);
      if (kind == 4) numbers.push_back(row % 16 < 8 ? 0.375f : -1.5f);
      if (kind == 5) numbers.push_back(next_random(state) % 8 == 0 ? x : 0.0f);
      if (kind == 6) numbers.push_back(std::ldexp(x, -34));
      if (kind == 7) numbers.push_back(std::ldexp(x, static_cast<int>(i / 32 % 9) - 4));
    }
  return numbers;
}

// Importance of columns: positive, of very different sizes.
inline std::vector<float> column_importance(int64_t columns) {
  uint64_t state = 77;
  std::vector<float> importance;
  for (int64_t i = 0; i < columns; ++i) {
    const uint64_t random = next_random(state);
    importance.push_back(
        std::ldexp(static_cast<float>(1 + (random >> 48)), -16 - static_cast<int>(random % 7)));
  }
  return importance;
}

}  // namespace malssi
