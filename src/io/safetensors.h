// The safetensors format: 8 bytes of header length (little-endian), a JSON header {name: {dtype,
// shape, data_offsets}}, then the numbers. A file is hostile until checked: the header is at most
// 100,000,000 bytes and nested no deeper than the format needs, no name comes twice, sizes are
// multiplied with overflow checks, and the tensors cover the data without gap or overlap.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/json.h"
#include "io/lazy_tensor.h"
#include "tensor/tensor.h"

namespace malssi {

struct NamedTensor;  // models/model.h

inline constexpr int64_t kMaxSafetensorsHeader = 100'000'000;

// Number formats that files may hold; more than tensors here have.
struct FileType {
  std::string_view name;  // "F32", ...
  int64_t bytes;          // of one element
};
// Null where the name is unknown.
const FileType* find_file_type(std::string_view name);

// One tensor in a file; bytes are row-major, little-endian, and not aligned.
struct Entry {
  std::string name;
  const FileType* type = nullptr;
  std::vector<int64_t> shape;
  std::span<const std::byte> bytes;

  int64_t count() const { return static_cast<int64_t>(bytes.size()) / type->bytes; }
};

// "F32 [3, 4]"
std::string describe(const Entry& entry);

// A copy of the numbers. F64 and F16 become f32, BOOL becomes u8; Error for a type or a number of
// axes that tensors do not have.
Tensor load_tensor(const Entry& entry, std::string_view where);

// A file, mapped and checked. Entries point into the mapping and live as long as this; borrowed tensors keep it alive.
class Safetensors {
 public:
  explicit Safetensors(const fs::path& file);
  // In the header's order.
  const std::vector<Entry>& entries() const { return entries_; }
  // Null where there is none of this name.
  const Entry* find(std::string_view name) const;
  // Error where there is none of this name.
  Tensor load(std::string_view name) const;
  // The numbers where they lie, if tensors have their format and they are aligned for it; else as load_tensor().
  Tensor borrow(const Entry& entry) const;
  // The header's "__metadata__": an object of strings.
  const Json& metadata() const { return metadata_; }
  const fs::path& path() const { return path_; }
  int64_t file_bytes() const { return file_->size(); }

 private:
  fs::path path_;
  std::shared_ptr<const MappedFile> file_;
  std::vector<Entry> entries_;
  std::vector<int32_t> by_name_;  // numbers of entries, sorted by name
  Json metadata_;
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
