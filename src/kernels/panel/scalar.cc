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

#include "kernels/panel/generic-inl.h"

}  // namespace

const Kernels& scalar_kernels() {
  static constexpr Kernels table{.name = "scalar",
                                 .unpack_int8 = unpack_int8,
                                 .int8_sums = int8_sums,
                                 .bf16_sums = nullptr,
                                 .float_sums = float_sums,
                                 .to_int8 = to_int8,
                                 .has_bf16 = false};
  return table;
}

}  // namespace malssi::panel
