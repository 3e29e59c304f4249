#include "quant/widen.h"

#include <cstring>

#include "base/error.h"
#include "base/parallel.h"
#include "kernels/table.h"
#include "quant/formats.h"

namespace malssi {

bool can_widen(DType dtype) {
  return dtype == DType::f32 || dtype == DType::bf16 || dtype == DType::f16 ||
         is_block_format(dtype);
}

void widen_rows(DType dtype, const void* rows_data, float* x, int64_t rows, int64_t columns) {
  CHECK(can_widen(dtype), "widening of ", dtype_name(dtype));
  if (is_block_format(dtype)) return unpack_rows(quant_format(dtype), rows_data, x, rows, columns);
  const int64_t n = rows * columns;
  if (dtype == DType::f32) {
    std::memcpy(x, rows_data, static_cast<size_t>(n) * sizeof(float));
  } else if (dtype == DType::bf16) {
    kernels().bf16_to_f32(static_cast<const bf16*>(rows_data), x, n);
  } else {
    const auto* const halves = static_cast<const uint16_t*>(rows_data);
    parallel_for(n, 1 << 16, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) x[i] = half_to_float(halves[i]);
    });
  }
}

}  // namespace malssi
