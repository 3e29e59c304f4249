// Remembers the ids of short words: a fixed table of cache lines, two places for a word, the older
// one is overwritten. One thread at a time.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <span>

#include "base/error.h"

namespace malssi {

class WordCache {
 public:
  static constexpr int64_t kMaxBytes = 31, kMaxIds = 7;
  // The bytes, zero-filled, and their number in the last byte; never all zero for a word.
  using Key = std::array<uint64_t, 4>;
  struct alignas(64) Entry {
    Key key;
    std::array<int32_t, kMaxIds> ids;
    int32_t count;
  };

  // Zero pages: they cost memory only once they are used.
  WordCache() : entries_(static_cast<Entry*>(std::calloc(kEntries + 1, sizeof(Entry)))) {
    if (!entries_) throw std::bad_alloc();
    const auto address = reinterpret_cast<uintptr_t>(entries_.get());
    first_ =
        reinterpret_cast<Entry*>((address + alignof(Entry) - 1) / alignof(Entry) * alignof(Entry));
  }

  // `limit` is the end of the memory that may be read; 1 <= size <= kMaxBytes.
  static Key key_of(const char* word, int64_t size, const char* limit) {
    static_assert(std::endian::native == std::endian::little);
    Key key{};
    if (limit - word < 32) {
      std::memcpy(key.data(), word, static_cast<size_t>(size));
    } else {  // without branches: lengths are hard to predict
      std::memcpy(key.data(), word, 32);
      const Key& mask = kMasks[static_cast<size_t>(size)];
      for (size_t i = 0; i < 4; ++i) key[i] &= mask[i];
    }
    key[3] |= static_cast<uint64_t>(size) << 56;
    return key;
  }

  // The word's place, or null.
  const Entry* find(const Key& key) const {
    const size_t at = place_of(key);
    if (first_[at].key == key) return first_ + at;
    if (first_[at ^ 1].key == key) return first_ + (at ^ 1);
    return nullptr;
  }

  void insert(const Key& key, std::span<const int32_t> ids) {
    if (std::ssize(ids) > kMaxIds) return;
    const size_t at = place_of(key);
    first_[at ^ 1] = first_[at];
    first_[at].key = key;
    first_[at].count = static_cast<int32_t>(ids.size());
    std::memcpy(first_[at].ids.data(), ids.data(), ids.size() * sizeof(int32_t));
  }

 private:
  static constexpr size_t kEntries = size_t{1} << 16;
  struct Free {
    void operator()(Entry* entries) const { std::free(entries); }
  };

  // The bits of the first `size` bytes.
  static constexpr std::array<Key, kMaxBytes + 1> kMasks = [] {
    std::array<Key, kMaxBytes + 1> masks{};
    for (size_t size = 0; size < masks.size(); ++size)
      for (size_t i = 0; i < size; ++i) masks[size][i / 8] |= uint64_t{255} << (i % 8 * 8);
    return masks;
  }();

  static size_t place_of(const Key& key) {
    uint64_t hash = key[0] * 0x9e3779b97f4a7c15u;
    hash = (std::rotl(hash, 29) ^ key[1]) * 0xbf58476d1ce4e5b9u;
    hash = (std::rotl(hash, 29) ^ key[2]) * 0x94d049bb133111ebu;
    hash = (std::rotl(hash, 29) ^ key[3]) * 0x9e3779b97f4a7c15u;
    return static_cast<size_t>(hash >> 48);
  }

  std::unique_ptr<Entry, Free> entries_;
  Entry* first_;
};

}  // namespace malssi
