// A set of byte strings with an id each, walked byte by byte.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace malssi {

class ByteTrie {
 public:
  // Of equal strings the first keeps its id.
  explicit ByteTrie(std::vector<std::pair<std::string, int32_t>> strings);
  ByteTrie() : ByteTrie(std::vector<std::pair<std::string, int32_t>>()) {}

  static constexpr int32_t kRoot = 0;
  // The node that a byte leads to, or -1.
  int32_t step(int32_t node, uint8_t byte) const {
    const Node& from = nodes_[static_cast<size_t>(node)];
    const auto first = labels_.begin() + from.first, last = first + from.count;
    const auto found = std::lower_bound(first, last, byte);
    return found != last && *found == byte ? targets_[static_cast<size_t>(found - labels_.begin())]
                                           : -1;
  }
  // Where a whole string leads to, or -1.
  int32_t walk(int32_t node, std::string_view bytes) const {
    for (size_t i = 0; i < bytes.size() && node >= 0; ++i)
      node = step(node, static_cast<uint8_t>(bytes[i]));
    return node;
  }
  // The id of the string that ends at a node, or -1.
  int32_t id(int32_t node) const { return nodes_[static_cast<size_t>(node)].id; }

 private:
  struct Node {
    int32_t first = 0, count = 0, id = -1;  // edges, sorted by label
  };
  std::vector<Node> nodes_;
  std::vector<uint8_t> labels_;
  std::vector<int32_t> targets_;
};

}  // namespace malssi
