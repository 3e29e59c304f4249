// Numbers of any format as floats.
#pragma once

#include <cstdint>

#include "kernels/dtype.h"

namespace malssi {

// f32, bf16, f16 and the block formats.
bool can_widen(DType dtype);
// x [rows, columns] = the rows, in parallel where they are many; CHECKs can_widen.
void widen_rows(DType dtype, const void* rows_data, float* x, int64_t rows, int64_t columns);

}  // namespace malssi
