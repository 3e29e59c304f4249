// The reference: plain code, no vectors asked for.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "kernels/panel/panel.h"

namespace malssi::panel {
namespace {

inline float half_value(uint16_t bits) { return half_to_float(bits); }

// 32 of them.
void floats_of_halves(const uint8_t* halves, float* to) {
  for (int64_t r = 0; r < kRows; ++r) {
    uint16_t bits;
    std::memcpy(&bits, halves + r * 2, sizeof(bits));
    to[r] = half_value(bits);
  }
}

// Each byte, below 16, becomes the table's number.
void look_up(const uint8_t* table, uint32_t* words, int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    uint8_t bytes[4];
    std::memcpy(bytes, words + i, 4);
    for (uint8_t& byte : bytes) byte = table[byte];
    std::memcpy(words + i, bytes, 4);
  }
}

#include "kernels/panel/unpack-inl.h"

void group_product(const uint8_t* w, const int8_t* x, int64_t columns, int32_t* sum) {
  for (int64_t c = 0; c < columns; ++c)
    for (int64_t r = 0; r < kRows; ++r) sum[r] += w[(c / 4 * kRows + r) * 4 + c % 4] * x[c];
}

void int8_sums(const Int8Panel& panel, Int8Layout layout, const Int8Rows& x, int64_t tokens,
               int64_t columns, int64_t, Ahead&, float* sums) {
  const int64_t group = layout.group;
  const int32_t* const offsets = group == 32 ? x.offset32 : x.offset16;
  const float* const sums_of_x = group == 32 ? x.sum32 : x.sum16;
  for (int64_t m = 0; m < tokens; ++m, sums += kRows)
    for (int64_t g = 0; g < columns / group; ++g) {
      const int64_t at = m * x.columns / group + g;
      int32_t sum[kRows];
      for (int32_t& s : sum) s = layout.has_min ? 0 : offsets[at] >> layout.zero_shift;
      group_product(panel.q + g * panel.group_bytes, x.q + m * x.columns + g * group, group, sum);
      const float scale = x.scale[m * x.columns / 32 + g * group / 32];
      for (int64_t r = 0; r < kRows; ++r)
        sums[r] = std::fma(static_cast<float>(sum[r]), panel.scale[g * kRows + r] * scale, sums[r]);
      if (!layout.has_min) continue;
      for (int64_t r = 0; r < kRows; ++r)
        sums[r] = std::fma(panel.min[g * kRows + r], sums_of_x[at], sums[r]);
    }
}

// A sum over columns in 16 lanes, which are added up in the end.
template <class Number>
float lanes_sum(int64_t columns, const float* x, Number&& number) {
  constexpr int64_t kLanes = 16;
  float lanes[kLanes] = {};
  int64_t c = 0;
  for (; c + kLanes <= columns; c += kLanes)
    for (int64_t i = 0; i < kLanes; ++i) lanes[i] = std::fma(number(c + i), x[c + i], lanes[i]);
  for (; c < columns; ++c) lanes[c % kLanes] = std::fma(number(c), x[c], lanes[c % kLanes]);
  for (int64_t half = kLanes / 2; half > 0; half /= 2)
    for (int64_t i = 0; i < half; ++i) lanes[i] += lanes[i + half];
  return lanes[0];
}

void float_sums(DType dtype, const uint8_t* const* rows, const float* x, int64_t stride,
                int64_t tokens, int64_t columns, Ahead&, float* sums) {
  const auto half_at = [](const uint8_t* row, int64_t c) {
    uint16_t bits;
    std::memcpy(&bits, row + c * 2, 2);
    return bits;
  };
  for (int64_t r = 0; r < kRows; ++r)
    for (int64_t m = 0; m < tokens; ++m) {
      const uint8_t* const row = rows[r];
      const float* const xs = x + m * stride;
      float& sum = sums[m * kRows + r];
      if (dtype == DType::f32)
        sum += lanes_sum(columns, xs, [&](int64_t c) {
          float value;
          std::memcpy(&value, row + c * 4, 4);
          return value;
        });
      else if (dtype == DType::f16)
        sum += lanes_sum(columns, xs, [&](int64_t c) { return half_value(half_at(row, c)); });
      else
        sum += lanes_sum(columns, xs, [&](int64_t c) {
          return std::bit_cast<float>(static_cast<uint32_t>(half_at(row, c)) << 16);
        });
    }
}

#include "kernels/panel/to_int8-inl.h"

}  // namespace

const Kernels& scalar_kernels() {
  static constexpr Kernels table{.name = "scalar",
                                 .unpack_int8 = unpack_int8,
                                 .int8_sums = int8_sums,
                                 .bf16_sums = nullptr,
                                 .float_sums = float_sums,
                                 .to_int8 = to_int8,
                                 .widen = nullptr,
                                 .has_bf16 = false};
  return table;
}

}  // namespace malssi::panel
