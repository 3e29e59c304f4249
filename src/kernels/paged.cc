#include "kernels/paged.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/error.h"

namespace malssi {
namespace {

constexpr int64_t kBlock = PagedLayer::kBlock;

template <class T>
T narrowed(float number) {
  if constexpr (std::is_same_v<T, uint16_t>)
    return float_to_half(number);
  else
    return T(number);
}

// One token's numbers; place(i) is where the i-th lies.
template <class T, class Place>
void put_plain(char* head, const float* numbers, int64_t count, const Place& place) {
  for (int64_t i = 0; i < count; ++i)
    reinterpret_cast<T*>(head)[place(i)] = narrowed<T>(numbers[i]);
}

// The scale is rounded first, so that the levels fit the scale that is kept.
template <class Place>
void put_q8_0(const PagedLayer& layer, char* head, int64_t token, const float* numbers,
              int64_t count, const Place& place) {
  uint16_t* const scales = layer.scales(head);
  auto* const levels = reinterpret_cast<int8_t*>(head);
  for (int64_t first = 0; first < count; first += kBlock) {
    const int64_t end = std::min(first + kBlock, count);
    float largest = 0;
    for (int64_t i = first; i < end; ++i) largest = std::max(largest, std::abs(numbers[i]));
    const uint16_t scale = float_to_half(largest / 127);
    scales[PagedLayer::scale_at(token, first)] = scale;
    const float kept = half_to_float(scale), factor = kept > 0 ? 1 / kept : 0;
    for (int64_t i = first; i < end; ++i)
      levels[place(i)] =
          static_cast<int8_t>(std::clamp(std::nearbyint(numbers[i] * factor), -127.0f, 127.0f));
  }
}

template <class Place>
void put_token(const PagedLayer& layer, char* head, int64_t token, const float* numbers,
               int64_t count, const Place& place) {
  switch (layer.dtype) {
    case DType::f32:
      return put_plain<float>(head, numbers, count, place);
    case DType::bf16:
      return put_plain<bf16>(head, numbers, count, place);
    case DType::f16:
      return put_plain<uint16_t>(head, numbers, count, place);
    case DType::q8_0:
      return put_q8_0(layer, head, token, numbers, count, place);
    default:
      CHECK(false, "a cache of ", dtype_name(layer.dtype));
  }
}

float number_at(const PagedLayer& layer, char* head, int64_t place, int64_t scale) {
  switch (layer.dtype) {
    case DType::f32:
      return reinterpret_cast<const float*>(head)[place];
    case DType::bf16:
      return static_cast<float>(reinterpret_cast<const bf16*>(head)[place]);
    case DType::f16:
      return half_to_float(reinterpret_cast<const uint16_t*>(head)[place]);
    default:
      return half_to_float(layer.scales(head)[scale]) *
             static_cast<float>(reinterpret_cast<const int8_t*>(head)[place]);
  }
}

}  // namespace

void PagedLayer::put(int64_t page, int64_t head, int64_t token, const float* key,
                     const float* value) const {
  const auto key_place = [&](int64_t i) { return key_at(token, i); };
  if (rotates()) {
    std::vector<float> rotated(static_cast<size_t>(padded_dim()));
    std::copy_n(key, head_dim, rotated.begin());
    rotate(rotated.data(), padded_dim());
    put_token(*this, head_keys(page, head), token, rotated.data(), padded_dim(), key_place);
  } else {
    put_token(*this, head_keys(page, head), token, key, head_dim, key_place);
  }
  put_token(*this, head_values(page, head), token, value, head_dim,
            [&](int64_t i) { return value_at(token, i); });
}

float PagedLayer::key(int64_t page, int64_t head, int64_t token, int64_t i) const {
  return number_at(*this, head_keys(page, head), key_at(token, i), scale_at(token, i));
}

float PagedLayer::value(int64_t page, int64_t head, int64_t token, int64_t i) const {
  return number_at(*this, head_values(page, head), value_at(token, i), scale_at(token, i));
}

// Five rounds of the same sums and differences, whose places make the transform (Pease 1968): loops that become vectors.
void rotate(float* x, int64_t n) {
  constexpr int64_t kHalf = kBlock / 2;
  const float norm = 1 / std::sqrt(static_cast<float>(kBlock));
  for (float* const end = x + n; x < end; x += kBlock) {
    float from[kBlock], to[kBlock];
    for (int64_t i = 0; i < kBlock; ++i) from[i] = x[i] * norm;
    for (int round = 0; round < 5; ++round) {
      for (int64_t i = 0; i < kHalf; ++i) {
        to[2 * i] = from[i] + from[i + kHalf];
        to[2 * i + 1] = from[i] - from[i + kHalf];
      }
      std::copy_n(to, kBlock, from);
    }
    std::copy_n(from, kBlock, x);
  }
}

}  // namespace malssi
