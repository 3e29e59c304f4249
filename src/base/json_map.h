// The object type behind Json: keeps the order of insertion like nlohmann::ordered_map, but finds
// keys through a hash index once there are many (ordered_map searches one by one, which takes
// seconds to read a vocabulary of 100,000 entries).
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace malssi {

template <class Key, class T, class IgnoredLess = std::less<Key>,
          class Allocator = std::allocator<std::pair<const Key, T>>>
struct JsonMap : std::vector<std::pair<const Key, T>, Allocator> {
  using key_type = Key;
  using mapped_type = T;
  using Container = std::vector<std::pair<const Key, T>, Allocator>;
  using iterator = typename Container::iterator;
  using const_iterator = typename Container::const_iterator;
  using size_type = typename Container::size_type;
  using value_type = typename Container::value_type;
  using key_compare = std::equal_to<>;

  JsonMap() = default;
  JsonMap(std::initializer_list<value_type> items) { insert(items.begin(), items.end()); }
  template <class It>
  JsonMap(It first, It last) {
    insert(first, last);
  }

  template <class K>
  std::pair<iterator, bool> emplace(K&& key, T&& value) {
    if (const iterator found = find(key); found != this->end()) return {found, false};
    Container::emplace_back(std::forward<K>(key), std::move(value));
    note_last();
    return {std::prev(this->end()), true};
  }
  std::pair<iterator, bool> insert(value_type&& value) {
    return emplace(value.first, std::move(value.second));
  }
  std::pair<iterator, bool> insert(const value_type& value) {
    return emplace(value.first, T(value.second));
  }
  template <class It>
  void insert(It first, It last) {
    for (; first != last; ++first) insert(*first);
  }

  T& operator[](std::string_view key) { return emplace(Key(key), T{}).first->second; }
  const T& operator[](std::string_view key) const { return at(key); }
  T& at(std::string_view key) { return found_or_throw(find(key))->second; }
  const T& at(std::string_view key) const { return found_or_throw(find(key))->second; }
  size_type count(std::string_view key) const { return find(key) == this->end() ? 0 : 1; }
  iterator find(std::string_view key) { return this->begin() + position(key); }
  const_iterator find(std::string_view key) const { return this->begin() + position(key); }

  size_type erase(std::string_view key) {
    const iterator found = find(key);
    if (found == this->end()) return 0;
    erase(found);
    return 1;
  }
  iterator erase(iterator at) { return erase(at, std::next(at)); }
  // Keys are const, so elements cannot be assigned: they are destroyed and moved down one by one.
  iterator erase(iterator first, iterator last) {
    const auto gap = std::distance(first, last);
    const auto offset = std::distance(this->begin(), first);
    if (gap == 0) return first;
    for (iterator to = first; std::next(to, gap) != this->end(); ++to) {
      std::destroy_at(&*to);
      std::construct_at(&*to, std::move(*std::next(to, gap)));
    }
    for (auto i = gap; i > 0; --i) Container::pop_back();
    slots_.clear();
    return this->begin() + offset;
  }
  void clear() {
    Container::clear();
    slots_.clear();
  }

 private:
  static constexpr size_type kIndexed = 32;
  static constexpr uint32_t kFree = std::numeric_limits<uint32_t>::max();

  template <class It>
  It found_or_throw(It found) const {
    if (found == this->end()) throw std::out_of_range("key not found");
    return found;
  }

  const Key& key_at(size_type index) const {
    return this->begin()[static_cast<std::ptrdiff_t>(index)].first;
  }

  // Position of the key, size() when absent.
  std::ptrdiff_t position(std::string_view key) const {
    const size_type count = this->size();
    if (slots_.empty()) {
      size_type i = 0;
      while (i < count && key_at(i) != key) ++i;
      return static_cast<std::ptrdiff_t>(i);
    }
    const size_type mask = slots_.size() - 1;
    for (size_type slot = hash(key) & mask;; slot = (slot + 1) & mask) {
      if (slots_[slot] == kFree) return static_cast<std::ptrdiff_t>(count);
      if (key_at(slots_[slot]) == key) return slots_[slot];
    }
  }

  static size_type hash(std::string_view key) { return std::hash<std::string_view>{}(key); }

  // Enters the last element into the index; builds or doubles the index when it is half full.
  void note_last() {
    const size_type count = this->size();
    if (count < kIndexed) return;
    if (slots_.size() >= 2 * count) return place(count - 1);
    size_type slots = 2 * kIndexed;
    while (slots < 4 * count) slots *= 2;
    slots_.assign(slots, kFree);
    for (size_type i = 0; i < count; ++i) place(i);
  }
  void place(size_type index) {
    const size_type mask = slots_.size() - 1;
    size_type slot = hash(key_at(index)) & mask;
    while (slots_[slot] != kFree) slot = (slot + 1) & mask;
    slots_[slot] = static_cast<uint32_t>(index);
  }

  std::vector<uint32_t> slots_;  // open addressing: element numbers; empty while the map is small
};

}  // namespace malssi
