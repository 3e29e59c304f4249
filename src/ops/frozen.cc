#include "ops/frozen.h"

#include <algorithm>
#include <functional>
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

DType compute_dtype() { return has_native_bf16() ? DType::bf16 : DType::f32; }

// Up to 32 rows of a part.
struct Tile {
  const Tensor* part;
  int64_t first, count;
  int64_t column;  // where its rows lie among those of all parts
};

std::vector<Tile> tiles_of(std::span<const Tensor> parts) {
  std::vector<Tile> tiles;
  int64_t column = 0;
  for (const Tensor& w : parts) {
    for (int64_t first = 0; first < w.dim(0); first += kPanelRows) {
      const int64_t count = std::min(kPanelRows, w.dim(0) - first);
      tiles.push_back({&w, first, count, column});
      column += count;
    }
  }
  return tiles;
}

// Its numbers as f32 [count, K].
void widen_rows_of(const Tile& tile, float* to) {
  const Tensor& w = *tile.part;
  const int64_t K = w.dim(1);
  if (w.layout() == WeightLayout::rows)
    return widen_rows(w.dtype(), w.as<char>() + dtype_bytes(w.dtype(), tile.first * K), to,
                      tile.count, K);
  std::vector<uint8_t> blocks(static_cast<size_t>(dtype_bytes(w.dtype(), kPanelRows * K)));
  from_panel(w.dtype(), w.data(), tile.first / kPanelRows, K, blocks.data());
  widen_rows(w.dtype(), blocks.data(), to, tile.count, K);
}

// The same as columns first .. first + count - 1 of slab [K, R].
void put_tile(const Tile& tile, const Tensor& slab, int64_t first) {
  const int64_t K = slab.dim(0), R = slab.dim(1);
  const bool is_bf16 = slab.dtype() == DType::bf16;
  if (is_bf16 && tile.part->layout() == WeightLayout::panels && tile.count == kPanelRows &&
      widens_panels())
    return widen_panel(tile.part->dtype(), tile.part->data(), tile.first / kPanelRows, K,
                       slab.bf16s() + first, R);
  std::vector<float> wide(static_cast<size_t>(tile.count * K));
  widen_rows_of(tile, wide.data());
  for (int64_t k = 0; k < K; ++k)
    for (int64_t r = 0; r < tile.count; ++r) {
      const float number = wide[static_cast<size_t>(r * K + k)];
      if (is_bf16)
        slab.bf16s()[k * R + first + r] = bf16(number);
      else
        slab.f32()[k * R + first + r] = number;
    }
}

// Some rows of all parts together, transposed: [K, rows], row after row in memory, or as they lie in the part, [rows, K].
struct Slab {
  ConstBuffer numbers;
  int64_t first, rows;
  bool is_transposed;
};

// Calls f with every slab in turn.
void for_slabs(std::span<const Tensor> parts, const std::function<void(const Slab&)>& f) {
  const DType dtype = compute_dtype();
  const Tensor& w = parts.front();
  const int64_t K = w.dim(1);
  if (parts.size() == 1 && w.dtype() == dtype) return f({in(w), 0, w.dim(0), false});
  const std::vector<Tile> tiles = tiles_of(parts);
  const size_t most = static_cast<size_t>(std::max<int64_t>(1, kSlab / K / kPanelRows));
  for (size_t begin = 0; begin < tiles.size(); begin += most) {
    const size_t end = std::min(tiles.size(), begin + most);
    const int64_t first = tiles[begin].column,
                  rows = tiles[end - 1].column + tiles[end - 1].count - first;
    const Tensor slab = Tensor::empty({K, rows}, dtype);
    parallel_for(static_cast<int64_t>(end - begin), 1, [&](int64_t from, int64_t to) {
      for (int64_t i = from; i < to; ++i) {
        const Tile& tile = tiles[begin + static_cast<size_t>(i)];
        put_tile(tile, slab, tile.column - first);
      }
    });
    f({in(slab), first, rows, true});
  }
}

// From column `first` on.
ConstBuffer columns_from(const Tensor& t, int64_t first) {
  return {t.as<char>() + first * dtype_size(t.dtype()), t.dtype()};
}

}  // namespace

Tensor widened(const Tensor& w, int64_t first, int64_t count) {
  const int64_t K = w.dim(1);
  CHECK(first % kPanelRows == 0 && first + count <= w.dim(0), "rows ", first, " to ", first + count,
        " of ", w.shape());
  const Tensor wide = Tensor::empty({count, K});
  parallel_for((count + kPanelRows - 1) / kPanelRows, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t row = i * kPanelRows;
      widen_rows_of({&w, first + row, std::min(kPanelRows, count - row), 0}, wide.f32() + row * K);
    }
  });
  return wide;
}

void frozen_product(const Tensor& x, std::span<const Tensor> parts, const Tensor& y) {
  const int64_t K = parts.front().dim(1), N = y.dim(-1), M = y.size() / N;
  const Tensor xs = x.to(compute_dtype());
  // Products of f32 end in f32.
  const bool is_direct = y.dtype() == DType::f32 || y.dtype() == compute_dtype();
  const Tensor sum = is_direct ? y : Tensor::empty({M, N});
  for_slabs(parts, [&](const Slab& slab) {
    const ConstBuffer to = columns_from(sum, slab.first);
    gemm(in(xs), slab.numbers, {const_cast<void*>(to.data), to.dtype}, M, slab.rows, K,
         {.transpose_b = !slab.is_transposed, .row_c = N});
  });
  if (!is_direct) y.copy_from(sum);
}

void frozen_input_gradient(const Tensor& dy, std::span<const Tensor> parts, const GradSink& dx) {
  const int64_t K = parts.front().dim(1), N = dy.dim(-1), M = dy.size() / N;
  const Tensor dys = dy.to(compute_dtype());
  // Slabs add up in f32.
  const bool is_direct = dx.target.dtype() == DType::f32;
  const Tensor sum = is_direct ? dx.target : Tensor::empty({M, K});
  float beta = is_direct ? dx.beta : 0;
  for_slabs(parts, [&](const Slab& slab) {
    const bool is_only = slab.rows == N && dx.target.dtype() == compute_dtype();
    if (!is_direct && dx.beta == 0 && is_only)
      return gemm(columns_from(dys, 0), slab.numbers, {dx.target.data(), dx.target.dtype()}, M, K,
                  N, {.transpose_b = slab.is_transposed});
    gemm(columns_from(dys, slab.first), slab.numbers, {sum.data(), DType::f32}, M, K, slab.rows,
         {.transpose_b = slab.is_transposed, .beta = beta, .row_a = N});
    beta = 1;
  });
  if (is_direct || (beta == 0 && dx.beta == 0)) return;
  if (dx.beta == 0) return dx.target.copy_from(sum);
  kernels().add_into(dx.target.data(), dx.target.dtype(), sum.data(), DType::f32, sum.size());
}

}  // namespace malssi
