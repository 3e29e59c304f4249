#include "infer/rows.h"

#include <cstring>

#include "base/error.h"

namespace malssi {

Tensor pick_rows(const Tensor& matrix, std::span<const int64_t> rows) {
  const auto count = static_cast<int64_t>(rows.size());
  bool all = count == matrix.dim(0);
  for (int64_t i = 0; all && i < count; ++i) all = rows[static_cast<size_t>(i)] == i;
  if (all) return matrix;
  Tensor picked = Tensor::empty({count, matrix.dim(1)}, matrix.dtype());
  const auto row_bytes = static_cast<size_t>(matrix.dim(1) * dtype_size(matrix.dtype()));
  for (size_t i = 0; i < rows.size(); ++i) {
    CHECK(rows[i] >= 0 && rows[i] < matrix.dim(0), "row ", rows[i], " of ", matrix.shape());
    std::memcpy(picked.as<std::byte>() + i * row_bytes,
                matrix.as<std::byte>() + static_cast<size_t>(rows[i]) * row_bytes, row_bytes);
  }
  return picked;
}

}  // namespace malssi
