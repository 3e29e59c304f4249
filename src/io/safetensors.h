// The safetensors format: 8 bytes of header length (little-endian), a JSON header {name: {dtype,
// shape, data_offsets}}, then the numbers. A file is hostile until checked: the header is at most
// 100,000,000 bytes and nested no deeper than the format needs, no name comes twice, sizes are
// multiplied with overflow checks, and the tensors cover the data without gap or overlap.
#pragma once

#include <cstdint>
#include <vector>

#include "io/lazy_tensor.h"
#include "io/tensor_file.h"

namespace malssi {

struct NamedTensor;  // models/model.h

inline constexpr int64_t kMaxSafetensorsHeader = 100'000'000;

// A file, mapped and checked, with the header's "__metadata__".
class Safetensors : public TensorFile {
 public:
  explicit Safetensors(const fs::path& file);
};

// Writes a file whole or not at all. metadata: an object of strings; transformers wants {"format":
// "pt"}.
void write_safetensors(const fs::path& path, const std::vector<NamedTensor>& tensors,
                       const Json& metadata = Json::object(),
                       Durability durability = Durability::now);
// The same with tensors that are loaded one after another.
void write_safetensors(const fs::path& path, std::vector<LazyTensor> tensors, const Json& metadata,
                       Durability durability);

}  // namespace malssi
