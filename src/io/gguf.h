// GGUF files, mapped: a model's metadata, tokenizer and tensors in one file, or in several (split.count), of which the first
// is named. Opening reads the header only; long lists stay in the file until they are asked for.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "io/gguf_header.h"
#include "models/gguf_names.h"
#include "tensor/tensor.h"

namespace malssi {

class Gguf : public GgufKeys {
 public:
  // Error: what is wrong with the file, or the part that is missing, in one line.
  explicit Gguf(const fs::path& file);

  const fs::path& path() const { return path_; }
  std::string where() const { return path_.string(); }
  int64_t version() const { return parts_.front().header.version; }
  int64_t file_bytes() const;

  // Of the first part, in its order.
  const std::vector<GgufKey>& keys() const { return parts_.front().header.keys; }
  // Null where there is no such key. Error: a number too large to hold.
  const GgufValue* find(std::string_view key) const override;
  std::vector<double> numbers(std::string_view tensor) const override;
  bool has_tensor(std::string_view name) const override { return find_tensor(name) != nullptr; }
  // The value, or nothing where there is no such key. Error: it is of another type; names the key.
  std::optional<int64_t> find_int(std::string_view key) const;
  std::optional<bool> find_bool(std::string_view key) const;
  std::optional<std::string> find_string(std::string_view key) const;

  // Of all parts, in their order.
  const std::vector<GgufTensor>& tensors() const { return tensors_; }
  // Null where there is none of this name.
  const GgufTensor* find_tensor(std::string_view name) const;
  // The tensor as it lies in the file, which stays mapped while the tensor lives.
  Tensor borrow(const GgufTensor& tensor) const;
  int64_t parameter_count() const;

 private:
  struct Part {
    std::shared_ptr<const MappedFile> file;
    GgufHeader header;
  };
  static Part open_part(const fs::path& path);
  void open_other_parts();
  const GgufKey* find_key(std::string_view name) const;

  fs::path path_;
  std::vector<Part> parts_;
  std::vector<GgufTensor> tensors_;
  std::map<std::string_view, size_t> tensor_of_name_;
  mutable std::map<std::string_view, GgufValue> values_;  // those asked for so far
};

}  // namespace malssi
