// What stands before the data of a GGUF file, versions 2 and 3 (little-endian): "GGUF", version, counts, metadata keys,
// tensors. Hostile until checked: every count and length against the bytes that are there, no name twice, types that exist,
// and tensors that follow one another without gap or overlap up to the file's end. Views point into the file's bytes.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "io/gguf_types.h"
#include "tensor/shape.h"

namespace malssi {

// A metadata key with its value as it stands in the file.
struct GgufKey {
  std::string_view name;
  GgufType type = GgufType::u8;
  GgufType element = GgufType::u8;  // of an array
  int64_t count = 1;                // elements of an array
  std::span<const std::byte>
      bytes;  // a string's without its length; an array's after type and count
};

struct GgufTensor {
  std::string_view name;
  DType dtype = DType::f32;
  Shape shape;  // outermost axis first; the file has it the other way round
  std::span<const std::byte> bytes;
};

struct GgufHeader {
  int64_t version = 0;
  int64_t alignment = 0;
  std::vector<GgufKey> keys;        // in the file's order
  std::vector<GgufTensor> tensors;  // in the file's order
};

// Error, in one line that begins with `where`: what is wrong with the file.
GgufHeader parse_gguf(std::span<const std::byte> file, std::string_view where);

// Reads a string array's next string from `bytes`, which it shortens. The header's check has found them all there.
std::string_view next_gguf_string(std::span<const std::byte>& bytes);

inline constexpr int64_t kGgufAlignment =
    32;  // of tensors, where general.alignment does not say another
// Bytes from `offset` to the next multiple of the alignment.
inline int64_t gguf_padding(int64_t offset, int64_t alignment) {
  return (alignment - offset % alignment) % alignment;
}

}  // namespace malssi
