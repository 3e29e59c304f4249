// The merging half of BPE training: words as symbols, the counts of all neighbouring pairs, and a heap of these. A merge
// touches only the words that contain its pair.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "text/word_counts.h"

namespace malssi {

class PairMerger {
 public:
  struct Pair {
    int32_t left, right;
    int64_t count;
  };

  // Words start as the symbols of their bytes.
  PairMerger(const WordCounts& words, const std::vector<int32_t>& symbol_of_byte);
  // The most frequent pair (of equals: the smallest symbols), taken out. Nothing when no pair is left.
  std::optional<Pair> take_best();
  // Replaces the pair, left to right, in every word.
  void merge(const Pair& pair, int32_t result);

 private:
  struct Info {
    int64_t count = 0;
    std::vector<uint32_t> words;  // that contain the pair, or did once
  };
  // Pairs by key; open addressing. Infos stay where they are.
  class Table {
   public:
    uint32_t index_of(uint64_t pair);  // adds an unknown pair
    Info& info(uint32_t index) { return infos_[index]; }
    uint64_t pair(uint32_t index) const { return pairs_[index]; }
    uint32_t size() const { return static_cast<uint32_t>(pairs_.size()); }

   private:
    void grow();
    std::vector<uint64_t> pairs_;
    std::vector<Info> infos_;
    std::vector<uint32_t> slots_;  // index + 1, 0 free
  };
  struct Candidate {
    int64_t count;
    uint64_t pair;
    uint32_t index;
    // Heap order: the largest count, then the smallest pair, on top.
    bool operator<(const Candidate& other) const {
      return count != other.count ? count < other.count : pair > other.pair;
    }
  };

  void change(int32_t left, int32_t right, int64_t by, uint32_t word);
  void merge_in_word(uint32_t word, const Pair& pair, int32_t result);

  std::vector<int32_t> symbols_;  // all words, one after another
  std::vector<int64_t> begin_;    // by word; one more at the end
  std::vector<int32_t> length_;   // symbols left, by word
  std::vector<int64_t> counts_;   // by word
  Table table_;
  std::vector<Candidate> heap_;
  std::vector<uint32_t> grown_;  // pairs whose count rose in the current merge
};

}  // namespace malssi
