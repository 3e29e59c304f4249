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
constexpr int64_t kColumns = 256;            // whole blocks of every format

ConstBuffer in(const Tensor& t) { return {t.data(), t.dtype()}; }

DType compute_dtype() { return has_native_bf16() ? DType::bf16 : DType::f32; }

// Up to 32 rows of a part.
struct Tile {
  const Tensor* part;
  int64_t first, count;
  int64_t column;  // where its rows lie among those of all parts
};

// Of a tile's columns.
struct Columns {
  int64_t begin, count;
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

// Where these columns of a tile in panels begin: they are a panel of their own.
const void* panel_at(const Tile& tile, int64_t column) {
  const Tensor& w = *tile.part;
  return w.as<char>() + dtype_bytes(w.dtype(), tile.first * w.dim(1) + kPanelRows * column);
}

// Its numbers as f32 [count, columns].
void widen_rows_of(const Tile& tile, Columns columns, float* to) {
  const Tensor& w = *tile.part;
  const int64_t K = w.dim(1);
  if (w.layout() == WeightLayout::rows) {
    for (int64_t r = 0; r < tile.count; ++r)
      widen_rows(w.dtype(),
                 w.as<char>() + dtype_bytes(w.dtype(), (tile.first + r) * K + columns.begin),
                 to + r * columns.count, 1, columns.count);
    return;
  }
  std::vector<uint8_t> blocks(
      static_cast<size_t>(dtype_bytes(w.dtype(), kPanelRows * columns.count)));
  from_panel(w.dtype(), panel_at(tile, columns.begin), 0, columns.count, blocks.data());
  widen_rows(w.dtype(), blocks.data(), to, tile.count, columns.count);
}

// The same as columns first .. first + count - 1 of slab [columns, R].
void put_tile(const Tile& tile, Columns columns, const Tensor& slab, int64_t first) {
  const int64_t R = slab.dim(1);
  const bool is_bf16 = slab.dtype() == DType::bf16;
  if (is_bf16 && tile.part->layout() == WeightLayout::panels && tile.count == kPanelRows &&
      widens_panels())
    return widen_panel(tile.part->dtype(), panel_at(tile, columns.begin), 0, columns.count,
                       slab.bf16s() + first, R);
  std::vector<float> wide(static_cast<size_t>(tile.count * columns.count));
  widen_rows_of(tile, columns, wide.data());
  for (int64_t k = 0; k < columns.count; ++k)
    for (int64_t r = 0; r < tile.count; ++r) {
      const float number = wide[static_cast<size_t>(r * columns.count + k)];
      if (is_bf16)
        slab.bf16s()[k * R + first + r] = bf16(number);
      else
        slab.f32()[k * R + first + r] = number;
    }
}

// Some columns of some tiles, transposed: [columns, rows].
Tensor slab_of(std::span<const Tile> tiles, Columns columns) {
  const int64_t first = tiles.front().column,
                rows = tiles.back().column + tiles.back().count - first;
  const int64_t size = columns.count * rows;
  // All of one size, so that the pool keeps one block for them.
  const Tensor slab = Tensor::empty({std::max(kSlab, size)}, compute_dtype())
                          .rows(0, size)
                          .view({columns.count, rows});
  parallel_for(static_cast<int64_t>(tiles.size()), 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const Tile& tile = tiles[static_cast<size_t>(i)];
      put_tile(tile, columns, slab, tile.column - first);
    }
  });
  return slab;
}

// A weight that products take as it is.
bool is_ready(std::span<const Tensor> parts) {
  return parts.size() == 1 && parts.front().dtype() == compute_dtype();
}

// Calls f with slabs of some rows of all parts together, and with the first row of each.
void for_row_slabs(std::span<const Tensor> parts,
                   const std::function<void(const Tensor& slab, int64_t first)>& f) {
  const int64_t K = parts.front().dim(1);
  const std::vector<Tile> tiles = tiles_of(parts);
  const auto most = static_cast<size_t>(std::max<int64_t>(1, kSlab / K / kPanelRows));
  for (size_t begin = 0; begin < tiles.size(); begin += most) {
    const auto some = std::span(tiles).subspan(begin, std::min(most, tiles.size() - begin));
    f(slab_of(some, {0, K}), some.front().column);
  }
}

// From column `first` on.
ConstBuffer columns_from(const Tensor& t, int64_t first) {
  return {t.as<char>() + first * dtype_size(t.dtype()), t.dtype()};
}
Buffer columns_into(const Tensor& t, int64_t first) {
  return {t.as<char>() + first * dtype_size(t.dtype()), t.dtype()};
}

// dx = dy w + beta dx, of the products' dtype or f32, some columns at a time: each with the whole sum over dy's.
void gradient_by_columns(const Tensor& dy, std::span<const Tensor> parts, const GradSink& dx) {
  const int64_t K = parts.front().dim(1), N = dy.dim(-1), M = dy.size() / N;
  const std::vector<Tile> tiles = tiles_of(parts);
  const int64_t most = kSlab / N / kColumns * kColumns;
  for (int64_t begin = 0; begin < K; begin += most) {
    const Columns columns{begin, std::min(most, K - begin)};
    const Tensor slab = slab_of(tiles, columns);
    gemm(in(dy), in(slab), columns_into(dx.target, begin), M, columns.count, N,
         {.transpose_b = true, .beta = dx.beta, .row_c = K});
  }
}

// The same in f32, some rows of w at a time, which add up: where a few columns of all rows are a slab already.
void gradient_by_rows(const Tensor& dy, std::span<const Tensor> parts, const Tensor& dx,
                      float beta) {
  const int64_t K = parts.front().dim(1), N = dy.dim(-1), M = dy.size() / N;
  for_row_slabs(parts, [&](const Tensor& slab, int64_t first) {
    gemm(columns_from(dy, first), in(slab), {dx.data(), DType::f32}, M, K, slab.dim(1),
         {.transpose_b = true, .beta = beta, .row_a = N});
    beta = 1;
  });
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
      const Tile tile{&w, first + row, std::min(kPanelRows, count - row), 0};
      widen_rows_of(tile, {0, K}, wide.f32() + row * K);
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
  if (is_ready(parts))
    gemm(in(xs), in(parts.front()), columns_into(sum, 0), M, N, K, {.transpose_b = true});
  else
    for_row_slabs(parts, [&](const Tensor& slab, int64_t first) {
      gemm(in(xs), in(slab), columns_into(sum, first), M, slab.dim(1), K, {.row_c = N});
    });
  if (!is_direct) y.copy_from(sum);
}

void frozen_input_gradient(const Tensor& dy, std::span<const Tensor> parts, const GradSink& dx) {
  const int64_t K = parts.front().dim(1), N = dy.dim(-1), M = dy.size() / N;
  const Tensor dys = dy.to(compute_dtype()), &target = dx.target;
  const bool is_direct = target.dtype() == DType::f32 || target.dtype() == compute_dtype();
  const bool by_columns = kColumns * N <= kSlab;
  if (is_direct && is_ready(parts))
    return gemm(in(dys), in(parts.front()), columns_into(target, 0), M, K, N, {.beta = dx.beta});
  if (is_direct && by_columns) return gradient_by_columns(dys, parts, dx);
  const bool adds_up = target.dtype() == DType::f32;
  const Tensor sum = adds_up ? target : Tensor::empty({M, K});
  const float beta = adds_up ? dx.beta : 0;
  if (is_ready(parts))
    gemm(in(dys), in(parts.front()), columns_into(sum, 0), M, K, N, {.beta = beta});
  else if (by_columns)
    gradient_by_columns(dys, parts, {sum, beta});
  else
    gradient_by_rows(dys, parts, sum, beta);
  if (adds_up) return;
  if (dx.beta == 0) return target.copy_from(sum);
  kernels().add_into(target.data(), target.dtype(), sum.data(), DType::f32, sum.size());
}

}  // namespace malssi
