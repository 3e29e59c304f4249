// The two-way table between token ids and their bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace malssi {

class Vocabulary {
 public:
  // A larger id in a file is taken for damage; one id makes room for all below it.
  static constexpr int64_t kMaxSize = int64_t{1} << 21;

  // Gives the id its bytes; ids may come in any order and leave gaps (empty bytes). Where two ids
  // have the same bytes, find() knows the first. Error: an id out of range or given twice, no
  // bytes.
  void add(int32_t id, std::string_view bytes);
  void reserve(int64_t count);
  void extend(int64_t size);  // with ids that have no bytes, to at least this size
  int64_t size() const { return static_cast<int64_t>(tokens_.size()); }
  std::string_view bytes(int32_t id) const { return tokens_[static_cast<size_t>(id)]; }
  std::optional<int32_t> find(std::string_view bytes) const;

 private:
  void rehash(size_t slots);
  size_t slot_of(std::string_view bytes) const;  // where it is, or the free slot where it belongs

  std::vector<std::string> tokens_;
  std::vector<int32_t> slots_;  // ids, -1 free; open addressing, a power of two
  int64_t used_ = 0;
};

}  // namespace malssi
