#include "text/byte_trie.h"

namespace malssi {

// Breadth first: a node stands for the sorted strings [begin, end) that share `depth` bytes.
ByteTrie::ByteTrie(std::vector<std::pair<std::string, int32_t>> strings) {
  std::stable_sort(strings.begin(), strings.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  struct Range {
    size_t begin, end, depth;
  };
  std::vector<Range> ranges = {{0, strings.size(), 0}};
  nodes_.emplace_back();
  for (size_t at = 0; at < ranges.size(); ++at) {
    auto [begin, end, depth] = ranges[at];
    if (begin < end && strings[begin].first.size() == depth) nodes_[at].id = strings[begin].second;
    while (begin < end && strings[begin].first.size() == depth) ++begin;
    nodes_[at].first = static_cast<int32_t>(labels_.size());
    while (begin < end) {
      const char label = strings[begin].first[depth];
      size_t stop = begin;
      while (stop < end && strings[stop].first[depth] == label) ++stop;
      labels_.push_back(static_cast<uint8_t>(label));
      targets_.push_back(static_cast<int32_t>(nodes_.size()));
      ranges.push_back({begin, stop, depth + 1});
      nodes_.emplace_back();
      begin = stop;
    }
    nodes_[at].count = static_cast<int32_t>(labels_.size()) - nodes_[at].first;
  }
}

}  // namespace malssi
