// The keys that clients show. They are kept as SHA-256 only, and all of them are compared, each in constant time: neither the
// memory nor the time of an answer tells a key.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"

namespace malssi {

class ApiKeys {
 public:
  // One a line, "KEY" or "NAME KEY"; # begins a comment. A key has 16 to 512 printable characters without spaces. Throws Error
  // naming the line, never the key.
  void add_file(const fs::path& file);
  // Separated by commas: "KEY,NAME KEY". where: what an error names.
  void add_list(std::string_view list, std::string_view where);

  bool empty() const { return entries_.empty(); }
  int64_t size() const { return static_cast<int64_t>(entries_.size()); }
  // The name of the key ("key-2" for the second without one), or nothing for a key that is not ours.
  std::string owner_of(std::string_view key) const;

 private:
  using Digest = std::array<unsigned char, 32>;
  struct Entry {
    std::string owner;
    Digest digest;
  };
  void add(std::string_view line, const std::string& where);
  static Digest digest_of(std::string_view key);

  std::vector<Entry> entries_;
};

}  // namespace malssi
