#include "text/vocabulary.h"

#include <functional>
#include <utility>

#include "base/error.h"

namespace malssi {

size_t Vocabulary::slot_of(std::string_view bytes) const {
  const size_t mask = slots_.size() - 1;
  size_t slot = std::hash<std::string_view>{}(bytes)&mask;
  while (slots_[slot] >= 0 && tokens_[static_cast<size_t>(slots_[slot])] != bytes)
    slot = (slot + 1) & mask;
  return slot;
}

void Vocabulary::rehash(size_t slots) {
  const std::vector<int32_t> before = std::exchange(slots_, std::vector<int32_t>(slots, -1));
  for (const int32_t id : before)
    if (id >= 0) slots_[slot_of(tokens_[static_cast<size_t>(id)])] = id;
}

void Vocabulary::extend(int64_t size) {
  if (size > this->size()) tokens_.resize(static_cast<size_t>(size));
}

void Vocabulary::reserve(int64_t count) {
  tokens_.reserve(static_cast<size_t>(count));
  size_t slots = 64;
  while (slots < 2 * static_cast<size_t>(count)) slots *= 2;
  if (slots > slots_.size()) rehash(slots);
}

void Vocabulary::add(int32_t id, std::string_view bytes) {
  REQUIRE(id >= 0 && id < kMaxSize, "vocabulary: token id ", id, " is outside 0 .. ", kMaxSize - 1);
  REQUIRE(!bytes.empty(), "vocabulary: the token of id ", id, " is empty");
  const auto index = static_cast<size_t>(id);
  REQUIRE(index >= tokens_.size() || tokens_[index].empty(), "vocabulary: id ", id,
          " is given to two tokens");
  if (static_cast<size_t>(used_ + 1) * 2 > slots_.size())
    rehash(slots_.empty() ? 64 : slots_.size() * 2);
  const size_t slot = slot_of(bytes);
  if (index >= tokens_.size()) tokens_.resize(index + 1);
  tokens_[index] = bytes;
  if (slots_[slot] >= 0) return;
  slots_[slot] = id;
  ++used_;
}

std::optional<int32_t> Vocabulary::find(std::string_view bytes) const {
  if (slots_.empty() || bytes.empty()) return std::nullopt;
  const int32_t id = slots_[slot_of(bytes)];
  return id >= 0 ? std::optional(id) : std::nullopt;
}

}  // namespace malssi
