#include "ops/columns.h"

#include <algorithm>
#include <vector>

#include "base/parallel.h"
#include "kernels/table.h"
#include "tensor/tape.h"

namespace malssi {
namespace {

constexpr int64_t kGrain = 32768;  // numbers for a thread

Tensor times_rows(const Tensor& x, std::span<const float> factors) {
  const Tensor y = Tensor::empty(x.shape());
  const int64_t D = x.dim(1);
  for (int64_t i = 0; i < x.size(); ++i)
    y.f32()[i] = factors[static_cast<size_t>(i / D)] * x.f32()[i];
  return y;
}

// Columns first .. first + count - 1 of some rows of y, as f32.
Tensor columns_of(const Tensor& y, std::span<const int32_t> rows, int64_t first, int64_t count) {
  const int64_t D = y.dim(1);
  const Tensor x = Tensor::empty({static_cast<int64_t>(rows.size()), count});
  for (size_t i = 0; i < rows.size(); ++i) {
    const int64_t from = rows[i] * D + first;
    float* const to = x.f32() + static_cast<int64_t>(i) * count;
    if (y.dtype() == DType::f32)
      std::copy_n(y.f32() + from, count, to);
    else
      kernels().bf16_to_f32(y.bf16s() + from, to, count);
  }
  return x;
}

}  // namespace

Tensor scaled_rows(const Tensor& x, std::span<const float> factors) {
  CHECK(x.dim(0) == static_cast<int64_t>(factors.size()), x.shape(), " times ", factors.size());
  Tensor y = times_rows(x, factors);
  if (!recording({x})) return y;
  record("scaled_rows", {x}, y,
         [factors = std::vector<float>(factors.begin(), factors.end())](
             const Tensor& dy, Grads& grads) { grads.give(0, times_rows(dy, factors)); });
  return y;
}

Tensor add_columns_in_place(const Tensor& y, const Tensor& x, std::span<const int32_t> rows,
                            int64_t first) {
  const int64_t N = y.dim(0), D = y.dim(1), count = x.dim(1);
  CHECK(x.dim(0) == static_cast<int64_t>(rows.size()) && first >= 0 && first + count <= D, "x ",
        x.shape(), " at column ", first, " of ", y.shape());
  for (const int32_t row : rows) CHECK(row >= 0 && row < N, "row ", row, " of ", y.shape());
  const int64_t size = dtype_size(y.dtype());
  const float* const from = x.f32();
  char* const to = y.as<char>();
  parallel_for(x.dim(0), std::max<int64_t>(1, kGrain / std::max<int64_t>(count, 1)),
               [&](int64_t begin, int64_t end) {
                 for (int64_t i = begin; i < end; ++i) {
                   const int64_t at = rows[static_cast<size_t>(i)] * D + first;
                   kernels().add_into(to + at * size, y.dtype(), from + i * count, DType::f32,
                                      count);
                 }
               });
  Tensor sum = y;
  sum.set_slot(nullptr);
  if (!recording({y, x})) return sum;
  record("add_columns", {y, x}, sum,
         [at = std::vector<int32_t>(rows.begin(), rows.end()), first, count](const Tensor& dy,
                                                                             Grads& grads) {
           if (grads.wants(1)) grads.give(1, columns_of(dy, at, first, count));
           grads.give(0, dy);
         });
  return sum;
}

}  // namespace malssi
