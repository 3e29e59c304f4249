#include "text/word_counts.h"

#include <cstring>

#include "base/error.h"

namespace malssi {
namespace {

uint64_t hash_of(std::string_view word) {
  uint64_t hash = word.size();
  for (; word.size() >= 8; word.remove_prefix(8)) {
    uint64_t eight;
    std::memcpy(&eight, word.data(), 8);
    hash = (hash ^ eight) * 0x9e3779b97f4a7c15u;
    hash ^= hash >> 32;
  }
  uint64_t rest = 0;
  std::memcpy(&rest, word.data(), word.size());
  hash = (hash ^ rest) * 0xbf58476d1ce4e5b9u;
  return hash ^ (hash >> 32);
}

}  // namespace

void WordCounts::grow() {
  REQUIRE(entries_.size() < (size_t{1} << 31),
          "training a tokenizer: too many different words; use less text");
  std::vector<uint32_t> slots(slots_.empty() ? size_t{1} << 12 : slots_.size() * 2);
  for (size_t i = 0; i < entries_.size(); ++i) {
    size_t slot = entries_[i].hash & (slots.size() - 1);
    while (slots[slot]) slot = (slot + 1) & (slots.size() - 1);
    slots[slot] = static_cast<uint32_t>(i + 1);
  }
  slots_ = std::move(slots);
}

void WordCounts::add(std::string_view word, int64_t count) {
  if (2 * (entries_.size() + 1) > slots_.size()) grow();
  const uint64_t hash = hash_of(word);
  const size_t mask = slots_.size() - 1;
  size_t slot = hash & mask;
  for (; slots_[slot]; slot = (slot + 1) & mask) {
    Entry& entry = entries_[slots_[slot] - 1];
    if (entry.hash != hash || this->word(slots_[slot] - 1) != word) continue;
    entry.count += count;
    return;
  }
  entries_.push_back(
      {hash, static_cast<int64_t>(text_.size()), static_cast<int64_t>(word.size()), count});
  text_ += word;
  slots_[slot] = static_cast<uint32_t>(entries_.size());
}

void WordCounts::add_all(const WordCounts& other) {
  for (int64_t i = 0; i < other.size(); ++i) add(other.word(i), other.count(i));
}

std::string_view WordCounts::word(int64_t index) const {
  const Entry& entry = entries_[static_cast<size_t>(index)];
  return std::string_view(text_).substr(static_cast<size_t>(entry.begin),
                                        static_cast<size_t>(entry.length));
}

}  // namespace malssi
