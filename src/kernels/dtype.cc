#include "kernels/dtype.h"

#include <cmath>

#include "base/error.h"

namespace malssi {

namespace {

struct Row {
  DType dtype;
  std::string_view name;
  DTypeBlock block;
};

// In the order of the enumeration.
constexpr Row kRows[] = {
    {DType::f32, "f32", {1, 4}},         {DType::bf16, "bf16", {1, 2}},
    {DType::f16, "f16", {1, 2}},         {DType::i32, "i32", {1, 4}},
    {DType::i64, "i64", {1, 8}},         {DType::u8, "u8", {1, 1}},
    {DType::q8_0, "q8_0", {32, 34}},     {DType::q4_0, "q4_0", {32, 18}},
    {DType::q4_1, "q4_1", {32, 20}},     {DType::q5_0, "q5_0", {32, 22}},
    {DType::q5_1, "q5_1", {32, 24}},     {DType::q2_k, "q2_k", {256, 84}},
    {DType::q3_k, "q3_k", {256, 110}},   {DType::q4_k, "q4_k", {256, 144}},
    {DType::q5_k, "q5_k", {256, 176}},   {DType::q6_k, "q6_k", {256, 210}},
    {DType::iq4_nl, "iq4_nl", {32, 18}}, {DType::mxfp4, "mxfp4", {32, 17}},
    {DType::nf4, "nf4", {64, 34}},
};

const Row& row_of(DType dtype) {
  const auto index = static_cast<size_t>(dtype);
  CHECK(index < std::size(kRows) && kRows[index].dtype == dtype, "unknown dtype ", index);
  return kRows[index];
}

}  // namespace

DTypeBlock dtype_block(DType dtype) { return row_of(dtype).block; }

int64_t dtype_size(DType dtype) {
  CHECK(!is_block_format(dtype), dtype_name(dtype), " has no bytes of one element");
  return row_of(dtype).block.bytes;
}

int64_t dtype_bytes(DType dtype, int64_t count) {
  const DTypeBlock block = row_of(dtype).block;
  CHECK(count % block.elements == 0, count, " numbers are no whole blocks of ", dtype_name(dtype));
  return count / block.elements * block.bytes;
}

std::string_view dtype_name(DType dtype) { return row_of(dtype).name; }

float half_to_float(uint16_t half) {
  const int exponent = (half >> 10) & 31;
  const int fraction = half & 1023;
  float value = 0;
  if (exponent == 31) {
    value = fraction == 0 ? INFINITY : NAN;
  } else if (exponent == 0) {
    value = std::ldexp(static_cast<float>(fraction), -24);
  } else {
    value = std::ldexp(static_cast<float>(fraction + 1024), exponent - 25);
  }
  return (half & 0x8000) != 0 ? -value : value;
}

uint16_t float_to_half(float value) {
  const uint32_t word = std::bit_cast<uint32_t>(value);
  const auto sign = static_cast<uint16_t>((word >> 16) & 0x8000u);
  const uint32_t magnitude = word & 0x7fffffffu;
  if (magnitude > 0x7f800000u) return static_cast<uint16_t>(sign | 0x7e00u);
  if (magnitude >= 0x477ff000u) return static_cast<uint16_t>(sign | 0x7c00u);  // rounds to infinity
  if (magnitude < 0x38800000u) {                                               // subnormal half
    const float scaled = std::bit_cast<float>(magnitude) * 0x1p24f;
    return static_cast<uint16_t>(sign | static_cast<uint16_t>(std::nearbyint(scaled)));
  }
  const uint32_t rounded = magnitude + 0xfffu + ((magnitude >> 13) & 1u);
  return static_cast<uint16_t>(sign | ((rounded - 0x38000000u) >> 13));
}

}  // namespace malssi
