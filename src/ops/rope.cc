#include "ops/rope.h"

#include <cmath>
#include <memory>

#include "kernels/table.h"
#include "tensor/tape.h"

namespace malssi {

RopeTable::RopeTable(int64_t positions, int64_t dim, double theta) : head_dim(dim) {
  const int64_t half = dim / 2;
  cosines.reserve(static_cast<size_t>(positions * half));
  sines.reserve(static_cast<size_t>(positions * half));
  for (int64_t p = 0; p < positions; ++p) {
    for (int64_t i = 0; i < half; ++i) {
      const double angle = static_cast<double>(p) * std::pow(theta, -2.0 * static_cast<double>(i) /
                                                                        static_cast<double>(dim));
      cosines.push_back(static_cast<float>(std::cos(angle)));
      sines.push_back(static_cast<float>(std::sin(angle)));
    }
  }
}

Tensor rope_in_place(const Tensor& x, std::span<const int32_t> positions, const RopeTable& table,
                     int64_t heads) {
  const int64_t N = x.dim(0), width = x.dim(1), dim = table.head_dim;
  REQUIRE(static_cast<int64_t>(positions.size()) == N && heads * dim <= width,
          "rope: ", positions.size(), " positions and ", heads, " heads of ", dim, " do not fit ",
          x.shape());
  kernels().rope({x.data(), x.dtype()}, positions.data(), table.cosines.data(), table.sines.data(),
                 N, heads, dim, width, false);
  Tensor y = x;
  y.set_slot(nullptr);
  if (!recording({x})) return y;
  const auto kept = std::make_shared<std::vector<int32_t>>(positions.begin(), positions.end());
  record("rope", {x}, y, [kept, &table, N, heads, dim, width](const Tensor& dy, Grads& grads) {
    kernels().rope({dy.data(), dy.dtype()}, kept->data(), table.cosines.data(), table.sines.data(),
                   N, heads, dim, width, true);
    grads.give(0, dy);
  });
  return y;
}

}  // namespace malssi
