#include "io/lazy_tensor.h"

#include <algorithm>
#include <atomic>
#include <cmath>

#include "base/error.h"
#include "base/parallel.h"
#include "quant/formats.h"

namespace malssi {
namespace {

constexpr int64_t kGrain = 16384;

bool all_within(const Tensor& numbers, float largest) {
  std::atomic<bool> within = true;
  const float* x = numbers.f32();
  parallel_for(numbers.size(), kGrain, [&](int64_t begin, int64_t end) {
    int64_t count = 0;
    for (int64_t i = begin; i < end; ++i) count += std::fabs(x[i]) <= largest;  // no NaN is
    if (count < end - begin) within = false;
  });
  return within;
}

}  // namespace

LazyTensor lazily(std::string name, const Tensor& tensor) {
  return {std::move(name), tensor.shape(), tensor.dtype(), [tensor] { return tensor; }};
}

Tensor from_f32(const Tensor& numbers, DType dtype, std::span<const float> importance,
                std::string_view name) {
  if (dtype == DType::f32 || dtype == DType::bf16) return numbers.to(dtype);
  REQUIRE(all_within(numbers, kLargestPacked), "tensor \"", name,
          "\" holds a number that is not finite or beyond ", kLargestPacked, ", which ",
          dtype_name(dtype), " cannot hold: use f32 or bf16");
  Tensor narrow = Tensor::empty(numbers.shape(), dtype);
  if (is_block_format(dtype)) {
    const int64_t columns = numbers.dim(-1), rows = numbers.size() / columns;
    const auto known = static_cast<int64_t>(importance.size());
    const int64_t matrices = std::max<int64_t>(known / columns, 1);
    CHECK((known == 0 || known == matrices * columns) && rows % matrices == 0, "tensor \"", name,
          "\" has ", rows, " rows of ", columns, ", its importance ", known, " numbers");
    const int64_t size = numbers.size() / matrices;
    for (int64_t i = 0; i < matrices; ++i)
      pack_rows(quant_format(dtype), numbers.f32() + i * size,
                known == 0 ? nullptr : importance.data() + i * columns,
                narrow.as<char>() + dtype_bytes(dtype, i * size), rows / matrices, columns);
    return narrow;
  }
  CHECK(dtype == DType::f16, "weights in ", dtype_name(dtype));
  parallel_for(numbers.size(), kGrain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      narrow.as<uint16_t>()[i] = float_to_half(numbers.f32()[i]);
  });
  return narrow;
}

}  // namespace malssi
