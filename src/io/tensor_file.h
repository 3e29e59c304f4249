// A file of named tensors, as the readers of models and adapters see it: safetensors (safetensors.h), or what torch.save() wrote
// (torch_file.h). Whatever the format, a file is hostile until its reader has checked it: no name comes twice, and every tensor's
// numbers lie in the file.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/json.h"
#include "tensor/tensor.h"

namespace malssi {

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
class TensorFile {
 public:
  virtual ~TensorFile() = default;
  TensorFile(const TensorFile&) = delete;
  TensorFile& operator=(const TensorFile&) = delete;

  // In the file's order.
  const std::vector<Entry>& entries() const { return entries_; }
  // Null where there is none of this name.
  const Entry* find(std::string_view name) const;
  // Error where there is none of this name.
  Tensor load(std::string_view name) const;
  // The numbers where they lie, if tensors have their format and they are aligned for it; else as load_tensor().
  Tensor borrow(const Entry& entry) const;
  // What the file says beside its tensors: an object of strings.
  const Json& metadata() const { return metadata_; }
  const fs::path& path() const { return path_; }
  int64_t file_bytes() const { return file_->size(); }

 protected:
  explicit TensorFile(const fs::path& path);
  const MappedFile& file() const { return *file_; }
  // To be called once. Error: a name is given twice.
  void take(std::vector<Entry> entries, Json metadata = Json::object());

 private:
  fs::path path_;
  std::shared_ptr<const MappedFile> file_;
  std::vector<Entry> entries_;
  std::vector<int32_t> by_name_;  // numbers of entries, sorted by name
  Json metadata_;
};

// The file in its format, which a name ending in ".bin" or its first bytes tell.
std::unique_ptr<TensorFile> open_tensor_file(const fs::path& path);

}  // namespace malssi
