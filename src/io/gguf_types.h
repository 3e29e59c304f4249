// The numbers by which GGUF files name types: of metadata values, and of tensors.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "kernels/dtype.h"

namespace malssi {

// Of a metadata value.
enum class GgufType : uint32_t {
  u8 = 0,
  i8 = 1,
  u16 = 2,
  i16 = 3,
  u32 = 4,
  i32 = 5,
  f32 = 6,
  boolean = 7,
  string = 8,
  array = 9,
  u64 = 10,
  i64 = 11,
  f64 = 12
};
// Bytes of a number of this type; 0 of a string, an array and of what is no type.
int64_t gguf_type_bytes(GgufType type);

// The dtype that a tensor's type number means; nothing for those that tensors here do not have.
std::optional<DType> dtype_of_gguf(uint32_t type);
uint32_t gguf_of_dtype(DType dtype);
// "Q4_K", also of types that tensors here do not have; "unknown" otherwise.
std::string_view gguf_tensor_type_name(uint32_t type);

}  // namespace malssi
