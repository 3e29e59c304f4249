#include "ops/frozen.h"

#include <algorithm>
#include <vector>

#include "base/parallel.h"
#include "kernels/gemm.h"
#include "kernels/panel_product.h"
#include "kernels/table.h"
#include "quant/widen.h"

namespace malssi {
namespace {

constexpr int64_t kSlab = int64_t{4} << 20;  // numbers: 8 MiB of bf16

ConstBuffer in(const Tensor& t) { return {t.data(), t.dtype()}; }

// Rows first .. first + 31 of w, as far as there are such, as f32 [32, K]; blocks: room for a panel's.
void widen_tile(const Tensor& w, int64_t first, std::vector<uint8_t>& blocks, float* to) {
  const int64_t K = w.dim(1), rows = std::min(kPanelRows, w.dim(0) - first);
  if (w.layout() == WeightLayout::rows)
    return widen_rows(w.dtype(), w.as<char>() + dtype_bytes(w.dtype(), first * K), to, rows, K);
  from_panel(w.dtype(), w.data(), first / kPanelRows, K, blocks.data());
  widen_rows(w.dtype(), blocks.data(), to, rows, K);
}

// Rows first .. first + slab's rows - 1, in slab's dtype; first is a multiple of 32.
void widen_slab(const Tensor& w, int64_t first, const Tensor& slab) {
  const int64_t K = w.dim(1), rows = slab.dim(0);
  parallel_for((rows + kPanelRows - 1) / kPanelRows, 1, [&](int64_t begin, int64_t end) {
    std::vector<uint8_t> blocks(static_cast<size_t>(dtype_bytes(w.dtype(), kPanelRows * K)));
    std::vector<float> wide(static_cast<size_t>(kPanelRows * K));
    for (int64_t row = begin * kPanelRows; row < std::min(rows, end * kPanelRows);
         row += kPanelRows) {
      const int64_t count = std::min(kPanelRows, rows - row) * K;
      widen_tile(w, first + row, blocks, wide.data());
      if (slab.dtype() == DType::f32)
        std::copy_n(wide.data(), count, slab.f32() + row * K);
      else
        kernels().f32_to_bf16(wide.data(), slab.bf16s() + row * K, count);
    }
  });
}

// Columns first .. first + to's columns - 1 of dy, which has to's dtype.
void copy_columns(const Tensor& dy, int64_t first, const Tensor& to) {
  const int64_t size = dtype_size(dy.dtype()), N = dy.dim(1) * size, bytes = to.dim(1) * size;
  parallel_for(dy.dim(0), 64, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row)
      std::copy_n(dy.as<char>() + row * N + first * size, bytes, to.as<char>() + row * bytes);
  });
}

}  // namespace

Tensor widened(const Tensor& w, int64_t first, int64_t count) {
  CHECK(w.shape().rank() == 2 && first % kPanelRows == 0 && first + count <= w.dim(0));
  const Tensor slab = Tensor::empty({count, w.dim(1)});
  widen_slab(w, first, slab);
  return slab;
}

void frozen_input_gradient(const Tensor& dy, std::span<const Tensor> parts, const GradSink& dx) {
  const int64_t K = parts.front().dim(1), N = dy.dim(-1), M = dy.size() / N;
  const DType compute = has_native_bf16() ? DType::bf16 : DType::f32;
  const Tensor dys = dy.view({M, N}).to(compute);
  const bool is_wide = dx.target.dtype() == DType::f32;  // slabs add up in f32
  const Tensor sum = is_wide ? dx.target : Tensor::empty({M, K});
  float beta = is_wide ? dx.beta : 0;
  const int64_t most = std::max(kPanelRows, kSlab / K / kPanelRows * kPanelRows);
  int64_t column = 0;
  for (const Tensor& w : parts) {
    for (int64_t first = 0; first < w.dim(0); first += most, beta = 1) {
      const int64_t rows = std::min(most, w.dim(0) - first);
      const Tensor slab = Tensor::empty({rows, K}, compute),
                   own = Tensor::empty({M, rows}, compute);
      widen_slab(w, first, slab);
      copy_columns(dys, column + first, own);
      gemm(in(own), in(slab), {sum.data(), DType::f32}, M, K, rows, {.beta = beta});
    }
    column += w.dim(0);
  }
  if (is_wide) return;
  if (dx.beta == 0) return dx.target.copy_from(sum);
  kernels().add_into(dx.target.data(), dx.target.dtype(), sum.data(), DType::f32, sum.size());
}

}  // namespace malssi
