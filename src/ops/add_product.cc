#include "ops/add_product.h"

#include <algorithm>

#include "base/error.h"
#include "kernels/gemm.h"
#include "tensor/tape.h"

namespace malssi {
namespace {

constexpr int64_t kRowsAtOnce = 256;

ConstBuffer in(const Tensor& t) { return {t.data(), t.dtype()}; }
Buffer out(const Tensor& t) { return {t.data(), t.dtype()}; }

// From column `first` on.
Buffer columns_from(const Tensor& t, int64_t first) {
  return {t.as<char>() + first * dtype_size(t.dtype()), t.dtype()};
}

}  // namespace

Tensor add_product_in_place(const Tensor& y, const Tensor& x, const Tensor& w, int64_t first) {
  const int64_t N = y.dim(0), D = y.dim(1), R = w.dim(1), rows = w.dim(0);
  CHECK(x.dim(0) == N && x.dim(1) == R && w.dtype() == y.dtype() && first >= 0 && first + rows <= D,
        "x ", x.shape(), " by ", w.shape(), " at column ", first, " of ", y.shape());
  const Tensor narrow = x.to(y.dtype());
  // Some rows at a time: oneDNN sums up in f32 beside y where that is bf16.
  for (int64_t row = 0; row < N; row += kRowsAtOnce) {
    const int64_t count = std::min(kRowsAtOnce, N - row);
    gemm(in(narrow.rows(row, row + count)), in(w), columns_from(y.rows(row, row + count), first),
         count, rows, R, {.transpose_b = true, .beta = 1, .row_c = D});
  }
  Tensor sum = y;
  sum.set_slot(nullptr);
  if (!recording({y, x, w})) return sum;
  record("add_product", {y, x, w}, sum,
         [narrow, w, first, N, D, R, rows](const Tensor& dy, Grads& grads) {
           const Tensor dys = dy.to(w.dtype());
           const Buffer from = columns_from(dys, first);
           const ConstBuffer columns{from.data, from.dtype};
           if (const auto [dx, beta] = grads.into(1); dx)
             gemm(columns, in(w), out(dx), N, R, rows, {.beta = beta, .row_a = D});
           if (const auto [dw, beta] = grads.into(2); dw)
             gemm(columns, in(narrow), out(dw), rows, R, N,
                  {.transpose_a = true, .beta = beta, .row_a = D});
           grads.give(0, dy);
         });
  return sum;
}

}  // namespace malssi
