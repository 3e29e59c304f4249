// The JSON header of a safetensors file, read event by event: a hostile header costs no more memory
// than its own length.
#pragma once

#include "io/safetensors.h"

namespace malssi {

struct SafetensorsHeader {
  struct Tensor {
    std::string name;
    const FileType* type = nullptr;
    std::vector<int64_t> shape = {};
    int64_t begin = -1, end = -1;  // bytes, from the end of the header
  };
  std::vector<Tensor> tensors;  // in the header's order
  Json metadata = Json::object();
};

// Throws Error naming `where`, the tensor, and what is wrong. Offsets are only known to be numbers.
SafetensorsHeader parse_safetensors_header(std::string_view text, std::string_view where);

}  // namespace malssi
