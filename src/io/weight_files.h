// A Hugging Face folder's weights: model.safetensors, or the shards that
// model.safetensors.index.json lists, or pytorch_model.bin.
#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "io/tensor_file.h"

namespace malssi {

// False for tables that published folders carry beside the parameters: attention masks, rotary frequencies.
bool is_parameter(const Entry& entry);

class WeightFiles {
 public:
  // A folder, or one file of tensors. Error: no weights there (with what the folder holds
  // instead), a shard that is missing or damaged, an index that does not agree with its shards.
  static WeightFiles open(const fs::path& folder_or_file);

  // Null where there is none of this name. Published checkpoints of the bare model leave out a
  // prefix that the full one has
  // ("transformer.", "model."): the name is found with and without it.
  const Entry* find(std::string_view name) const;
  // Undefined where there is none of this name. borrow: where they lie, see TensorFile::borrow.
  Tensor load(std::string_view name) const;
  Tensor borrow(std::string_view name) const;
  void for_each(const std::function<void(const Entry&)>& visitor) const;

  const std::vector<std::unique_ptr<TensorFile>>& files() const { return files_; }
  int64_t element_count() const;
  int64_t file_bytes() const;

 private:
  std::vector<std::unique_ptr<TensorFile>> files_;
};

}  // namespace malssi
