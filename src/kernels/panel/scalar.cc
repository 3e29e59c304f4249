// The reference: plain code, no vectors asked for.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "kernels/panel/panel.h"

namespace malssi::panel {
namespace {

inline float half_value(uint16_t bits) { return half_to_float(bits); }

#include "kernels/panel/int8_decode-inl.h"

void group_product(const uint8_t* w, const int8_t* x, int64_t columns, int32_t* sum) {
  for (int64_t c = 0; c < columns; ++c)
    for (int64_t r = 0; r < kRows; ++r) sum[r] += w[(c / 4 * kRows + r) * 4 + c % 4] * x[c];
}

#include "kernels/panel/generic-inl.h"

}  // namespace

Int8Layout int8_layout(DType dtype) {
  switch (dtype) {
    case DType::q2_k:
      return {.group = 16, .has_min = true};
    case DType::q3_k:
    case DType::q6_k:
      return {.group = 16};
    case DType::q4_1:
    case DType::q5_1:
    case DType::q4_k:
    case DType::q5_k:
      return {.has_min = true};
    default:
      return {};
  }
}

const Kernels& scalar_kernels() {
  static constexpr Kernels table{.name = "scalar",
                                 .unpack_int8 = unpack_int8,
                                 .int8_sums = int8_sums,
                                 .int8_row_sums = nullptr,
                                 .bf16_sums = nullptr,
                                 .float_sums = float_sums,
                                 .to_int8 = to_int8,
                                 .has_bf16 = false};
  return table;
}

}  // namespace malssi::panel
