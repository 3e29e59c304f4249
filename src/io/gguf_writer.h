// Writes a GGUF file, version 3, whole or not at all, tensor by tensor: keys and tensors are announced first, then each
// tensor's bytes follow in the order of announcement, so that a model larger than memory can be written.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "io/gguf_header.h"
#include "models/gguf_value.h"

namespace malssi {

class GgufWriter {
 public:
  explicit GgufWriter(fs::path path);

  // A later value of a key replaces the earlier one.
  void put(std::string_view key, const GgufValue& value);
  // A list of u8.
  void put_bytes(std::string_view key, std::string_view bytes);
  // A key of another file, as it is.
  void copy(const GgufKey& key);

  void announce(std::string_view name, DType dtype, const Shape& shape);
  // The bytes of the next tensor. The first call writes the header: no key or tensor may follow it.
  void write(const void* data, int64_t bytes);
  // Error: the disk. CHECKs that every announced tensor was written.
  void commit();
  int64_t file_bytes() const { return file_.size(); }

 private:
  struct Announced {
    std::string name;
    DType dtype;
    Shape shape;
  };
  struct Key {
    std::string name;
    std::string content;  // type and value as they stand in the file
  };
  void put_content(std::string_view key, std::string content);
  void write_header();
  void pad();

  fs::path path_;
  AtomicFile file_;
  std::vector<Key> keys_;
  std::vector<Announced> tensors_;
  size_t written_ = 0;
  bool has_header_ = false;
};

}  // namespace malssi
