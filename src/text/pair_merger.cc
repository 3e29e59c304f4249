#include "text/pair_merger.h"

#include <algorithm>

#include "base/error.h"

namespace malssi {
namespace {

uint64_t key_of(int32_t left, int32_t right) {
  return (static_cast<uint64_t>(static_cast<uint32_t>(left)) << 32) | static_cast<uint32_t>(right);
}

uint64_t mix(uint64_t pair) {
  const uint64_t product = (pair ^ (pair >> 29)) * 0x9e3779b97f4a7c15u;
  return product ^ (product >> 32);
}

}  // namespace

void PairMerger::Table::grow() {
  std::vector<uint32_t> slots(slots_.empty() ? size_t{1} << 16 : slots_.size() * 2);
  for (size_t i = 0; i < pairs_.size(); ++i) {
    size_t slot = mix(pairs_[i]) & (slots.size() - 1);
    while (slots[slot]) slot = (slot + 1) & (slots.size() - 1);
    slots[slot] = static_cast<uint32_t>(i + 1);
  }
  slots_ = std::move(slots);
}

uint32_t PairMerger::Table::index_of(uint64_t pair) {
  if (2 * (pairs_.size() + 1) > slots_.size()) grow();
  const size_t mask = slots_.size() - 1;
  size_t slot = mix(pair) & mask;
  for (; slots_[slot]; slot = (slot + 1) & mask)
    if (pairs_[slots_[slot] - 1] == pair) return slots_[slot] - 1;
  pairs_.push_back(pair);
  infos_.emplace_back();
  slots_[slot] = static_cast<uint32_t>(pairs_.size());
  return slots_[slot] - 1;
}

PairMerger::PairMerger(const WordCounts& words, const std::vector<int32_t>& symbol_of_byte) {
  symbols_.reserve(static_cast<size_t>(words.total_bytes()));
  for (int64_t i = 0; i < words.size(); ++i) {
    begin_.push_back(static_cast<int64_t>(symbols_.size()));
    for (const char byte : words.word(i))
      symbols_.push_back(symbol_of_byte[static_cast<uint8_t>(byte)]);
    length_.push_back(static_cast<int32_t>(words.word(i).size()));
    counts_.push_back(words.count(i));
    const int32_t* symbol = symbols_.data() + begin_.back();
    for (int32_t at = 0; at + 1 < length_.back(); ++at) {
      Info& info = table_.info(table_.index_of(key_of(symbol[at], symbol[at + 1])));
      info.count += counts_.back();
      if (info.words.empty() || info.words.back() != i)
        info.words.push_back(static_cast<uint32_t>(i));
    }
  }
  for (uint32_t i = 0; i < table_.size(); ++i)
    heap_.push_back({table_.info(i).count, table_.pair(i), i});
  std::make_heap(heap_.begin(), heap_.end());
}

void PairMerger::change(int32_t left, int32_t right, int64_t by, uint32_t word) {
  const uint32_t index = table_.index_of(key_of(left, right));
  Info& info = table_.info(index);
  info.count += by;
  if (by < 0) return;
  if (info.words.empty() || info.words.back() != word) info.words.push_back(word);
  if (grown_.empty() || grown_.back() != index) grown_.push_back(index);
}

// Counts only fall between pushes, so an entry that still tells its pair's count is the best; others go back corrected.
std::optional<PairMerger::Pair> PairMerger::take_best() {
  while (!heap_.empty()) {
    std::pop_heap(heap_.begin(), heap_.end());
    Candidate top = heap_.back();
    heap_.pop_back();
    const int64_t count = table_.info(top.index).count;
    if (count <= 0) continue;
    if (count == top.count)
      return Pair{static_cast<int32_t>(top.pair >> 32),
                  static_cast<int32_t>(top.pair & 0xFFFFFFFFu), count};
    top.count = count;
    heap_.push_back(top);
    std::push_heap(heap_.begin(), heap_.end());
  }
  return std::nullopt;
}

void PairMerger::merge(const Pair& pair, int32_t result) {
  const uint32_t index = table_.index_of(key_of(pair.left, pair.right));
  const std::vector<uint32_t> words = std::move(table_.info(index).words);
  table_.info(index) = {};
  grown_.clear();
  for (const uint32_t word : words) merge_in_word(word, pair, result);
  table_.info(index).count = 0;
  std::sort(grown_.begin(), grown_.end());
  grown_.erase(std::unique(grown_.begin(), grown_.end()), grown_.end());
  for (const uint32_t i : grown_) {
    if (table_.info(i).count <= 0) continue;
    heap_.push_back({table_.info(i).count, table_.pair(i), i});
    std::push_heap(heap_.begin(), heap_.end());
  }
}

void PairMerger::merge_in_word(uint32_t word, const Pair& pair, int32_t result) {
  int32_t* symbol = symbols_.data() + begin_[word];
  const int32_t length = length_[word];
  const int64_t count = counts_[word];
  int32_t kept = 0;
  for (int32_t at = 0; at < length; ++kept) {
    if (at + 1 >= length || symbol[at] != pair.left || symbol[at + 1] != pair.right) {
      symbol[kept] = symbol[at++];
      continue;
    }
    if (kept > 0) {
      change(symbol[kept - 1], pair.left, -count, word);
      change(symbol[kept - 1], result, count, word);
    }
    if (at + 2 < length) {
      change(pair.right, symbol[at + 2], -count, word);
      // Where the pair follows once more, its own merge will count the two results.
      change(result, symbol[at + 2], count, word);
    }
    symbol[kept] = result;
    at += 2;
  }
  length_[word] = kept;
}

}  // namespace malssi
