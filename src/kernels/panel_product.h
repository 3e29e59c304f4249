// Products with weights in files' formats: y [M, N] = x [M, K] w [N, K]^T, for inference. Each weight is read once for all
// rows of x, in panels of 32 rows that a core unpacks into its cache: block formats as int8, times activations rounded to
// int8 in groups of 32; bf16 as bf16 where the processor multiplies it; everything else as f32.
// An element of y depends on its own row of x alone: the same sums in the same order whatever M is.
#pragma once

#include <cstdint>
#include <span>

#include "kernels/table.h"

namespace malssi {

// Some rows of a weight matrix; a matrix may be made of parts that differ in dtype.
struct WeightRows {
  const void* data = nullptr;  // rows of K numbers, dense, or their panels
  DType dtype = DType::f32;
  int64_t rows = 0;
  WeightLayout layout = WeightLayout::rows;
};

// A matrix of a block format [rows, columns] rearranged into WeightLayout::panels, which products read in one stream: as many
// bytes, but for the last panel, which is filled up. `to`: 64-byte aligned.
int64_t panel_bytes(DType dtype, int64_t rows, int64_t columns);
void to_panels(DType dtype, const void* from, int64_t rows, int64_t columns, void* to);

// One panel, 32 rows of blocks, back in rows.
inline constexpr int64_t kPanelRows = 32;
void from_panel(DType dtype, const void* panels, int64_t panel, int64_t columns, void* to);
// One of all panels' rows.
void row_of_panels(DType dtype, const void* panels, int64_t row, int64_t columns, void* to);

// One panel as bf16, columns as rows: to[column * stride + r] of its rows r, 0 .. 31. Only where widens_panels().
bool widens_panels();
void widen_panel(DType dtype, const void* panels, int64_t panel, int64_t columns, bf16* to,
                 int64_t stride);

// x f32 or bf16 [M, K]; y f32 or bf16 [M, N], N the sum of the parts' rows; bias f32 [N] or null. K must be whole blocks of
// every part's dtype.
void panel_product(ConstBuffer x, std::span<const WeightRows> parts, const float* bias, Buffer y,
                   int64_t M, int64_t K);

}  // namespace malssi
