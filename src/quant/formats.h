// The block formats: how rows of numbers become blocks (blocks.h) and numbers again. Packing follows the searches of
// llama.cpp step by step, so that both make the same bytes of the same numbers.
#pragma once

#include <cstdint>
#include <string_view>

#include "kernels/dtype.h"

namespace malssi {

struct QuantFormat {
  DType dtype;
  std::string_view name;
  // Packs one row of n finite numbers of at most kLargestPacked; n is a whole number of blocks. importance [n]: how much an
  // error of each column matters (the mean square of what multiplies it), or null. Q8_0, MXFP4 and NF4 do not ask for it.
  void (*pack)(const float* x, const float* importance, void* blocks, int64_t n);
  void (*unpack)(const void* blocks, float* x, int64_t n);
};

inline constexpr float kLargestPacked = 65504;  // a half's largest: no scale becomes infinite

// CHECKs that it is a block format.
const QuantFormat& quant_format(DType dtype);
// Rows of `columns` numbers, in parallel.
void pack_rows(const QuantFormat& format, const float* x, const float* importance, void* blocks,
               int64_t rows, int64_t columns);
void unpack_rows(const QuantFormat& format, const void* blocks, float* x, int64_t rows,
                 int64_t columns);

}  // namespace malssi
