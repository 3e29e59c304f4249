// SentencePiece's precompiled character map: the longest listed sequence of bytes at each place is
// replaced. A blob holds the size of a double-array trie in bytes, the trie (little-endian units of
// 32 bits; Kanda 2018 describes the layout), then the replacements, each ended by a zero byte.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace malssi {

class Charsmap {
 public:
  // Error: a blob that is cut off. An empty one changes nothing.
  explicit Charsmap(std::string_view blob);
  // Bytes that are not UTF-8 stay as they are. Error: a trie that points outside itself.
  std::string apply(std::string_view text) const;

 private:
  struct Match {
    int64_t length = 0;  // of the text, 0 none
    std::string_view replacement;
  };
  Match longest(std::string_view text) const;
  uint32_t unit(uint64_t index) const;

  std::vector<uint32_t> trie_;
  std::string replacements_;
};

}  // namespace malssi
