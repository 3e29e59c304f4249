// How often each word occurs: a hash table whose words lie one after another in one string.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace malssi {

class WordCounts {
 public:
  void add(std::string_view word, int64_t count = 1);
  void add_all(const WordCounts& other);
  int64_t size() const { return static_cast<int64_t>(entries_.size()); }  // different words
  std::string_view word(int64_t index) const;  // in order of first appearance
  int64_t count(int64_t index) const { return entries_[static_cast<size_t>(index)].count; }
  int64_t total_bytes() const { return static_cast<int64_t>(text_.size()); }

 private:
  struct Entry {
    uint64_t hash;
    int64_t begin, length, count;
  };
  void grow();

  std::string text_;
  std::vector<Entry> entries_;
  std::vector<uint32_t> slots_;  // index + 1 of an entry, 0 free
};

}  // namespace malssi
