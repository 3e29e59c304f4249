#include "io/weight_layout.h"

#include <algorithm>
#include <cstring>

#include "base/parallel.h"

namespace malssi {
namespace {

// Row `at` of a head, its rows in pairs, is this row of its halves.
int64_t place_in_halves(int64_t at, int64_t size) { return at / 2 + at % 2 * (size / 2); }

template <class From, class To>
Tensor moved_rows(const Tensor& weight, int64_t heads, From&& from, To&& to) {
  const int64_t rows = weight.dim(0), size = rows / heads, bytes = weight.bytes() / rows;
  CHECK(rows % heads == 0 && size % 2 == 0, rows, " rows in ", heads, " heads");
  Tensor out = Tensor::empty(weight.shape(), weight.dtype());
  for (int64_t row = 0; row < rows; ++row) {
    const int64_t head = row / size * size, at = row % size;
    std::memcpy(out.as<char>() + (head + to(at, size)) * bytes,
                weight.as<char>() + (head + from(at, size)) * bytes, static_cast<size_t>(bytes));
  }
  return out;
}

int64_t stay(int64_t at, int64_t) { return at; }

}  // namespace

Tensor transposed(const Tensor& weight) {
  const int64_t rows = weight.dim(0), columns = weight.dim(1);
  Tensor out = Tensor::empty({columns, rows});
  constexpr int64_t kTile = 32;  // a tile of both sides stays in the cache
  parallel_for((columns + kTile - 1) / kTile, 1, [&](int64_t begin, int64_t end) {
    for (int64_t tile = begin * kTile; tile < std::min(end * kTile, columns); tile += kTile)
      for (int64_t row = 0; row < rows; ++row)
        for (int64_t column = tile; column < std::min(tile + kTile, columns); ++column)
          out.f32()[column * rows + row] = weight.f32()[row * columns + column];
  });
  return out;
}

Tensor halves_from_pairs(const Tensor& weight, int64_t heads) {
  return moved_rows(weight, heads, stay, place_in_halves);
}

Tensor pairs_from_halves(const Tensor& weight, int64_t heads) {
  return moved_rows(weight, heads, place_in_halves, stay);
}

}  // namespace malssi
