#include "text/merges.h"

#include <algorithm>
#include <functional>
#include <iomanip>

#include "base/error.h"
#include "base/random.h"

namespace malssi {
namespace {

constexpr int64_t kShort = 48;     // up to here a scan for the lowest rank beats the heap
constexpr int64_t kWindow = 2048;  // bytes merged at a time in long words

uint64_t pair_key(int32_t left, int32_t right) {
  return (static_cast<uint64_t>(static_cast<uint32_t>(left)) << 32) | static_cast<uint32_t>(right);
}

constexpr uint64_t kFree = ~uint64_t{0};  // no pair of non-negative ids

}  // namespace

Merges::Merges() {
  byte_ids_.fill(-1);
  rehash(64);
}

size_t Merges::slot_of(uint64_t pair) const {
  const size_t mask = slots_.size() - 1;
  size_t slot = static_cast<size_t>((pair ^ (pair >> 29)) * 0x9e3779b97f4a7c15u >> 20) & mask;
  while (slots_[slot].pair != pair && slots_[slot].pair != kFree) slot = (slot + 1) & mask;
  return slot;
}

void Merges::rehash(size_t slots) {
  slots_.assign(slots, Slot{kFree, {}});
  for (const Rule& rule : rules_) {
    const uint64_t pair = pair_key(rule.left, rule.right);
    slots_[slot_of(pair)] = {pair, {rule.rank, rule.result}};
  }
}

void Merges::reserve(int64_t count) {
  rules_.reserve(static_cast<size_t>(count));
  size_t slots = 64;
  while (slots < 2 * static_cast<size_t>(count)) slots *= 2;
  if (slots > slots_.size()) rehash(slots);
}

bool Merges::add(Rule rule) {
  if (2 * (rules_.size() + 1) > slots_.size()) rehash(2 * slots_.size());
  const uint64_t pair = pair_key(rule.left, rule.right);
  Slot& slot = slots_[slot_of(pair)];
  if (slot.pair == pair) return false;
  if (rule.rank < 0) rule.rank = static_cast<int32_t>(rules_.size());
  slot = {pair, {rule.rank, rule.result}};
  rules_.push_back(rule);
  return true;
}

Merges::Merge Merges::find(int32_t left, int32_t right) const {
  const Slot& slot = slots_[slot_of(pair_key(left, right))];
  return slot.merge;
}

void Merges::finish() {
  byte_pairs_.resize(256 * 256);
  for (size_t pair = 0; pair < byte_pairs_.size(); ++pair)
    byte_pairs_[pair] = find(byte_ids_[pair >> 8], byte_ids_[pair & 255]);
}

int32_t Merges::known_byte_id(uint8_t byte) const {
  REQUIRE(byte_ids_[byte] >= 0, "tokenizer: the vocabulary has no token for byte 0x", std::hex,
          std::setw(2), std::setfill('0'), static_cast<int>(byte));
  return byte_ids_[byte];
}

void Merges::begin(std::string_view word, Scratch& scratch) const {
  scratch.ids.resize(word.size());
  scratch.merges.resize(word.size());
  for (size_t i = 0; i < word.size(); ++i) {
    const auto byte = static_cast<uint8_t>(word[i]);
    scratch.ids[i] = known_byte_id(byte);
    scratch.merges[i] =
        i + 1 < word.size()
            ? byte_pairs_[static_cast<size_t>(byte) << 8 | static_cast<uint8_t>(word[i + 1])]
            : Merge{};
  }
}

void Merges::encode(std::string_view word, const std::vector<int32_t>& token_length,
                    Scratch& scratch, std::vector<int32_t>& out) const {
  const auto size = static_cast<int64_t>(word.size());
  if (size > kWindow) return encode_long(word, token_length, scratch, out);
  begin(word, scratch);
  size <= kShort ? merge_few(scratch, out) : merge_many(scratch, out);
}

void Merges::encode_ids(std::span<const int32_t> ids, Scratch& scratch,
                        std::vector<int32_t>& out) const {
  scratch.ids.assign(ids.begin(), ids.end());
  scratch.merges.resize(ids.size());
  for (size_t i = 0; i < ids.size(); ++i)
    scratch.merges[i] = i + 1 < ids.size() ? find(ids[i], ids[i + 1]) : Merge{};
  std::ssize(ids) <= kShort ? merge_few(scratch, out) : merge_many(scratch, out);
}

void Merges::merge_few(Scratch& scratch, std::vector<int32_t>& out) const {
  auto& [ids, previous, next, tail, merges, heap] = scratch;
  size_t pairs = ids.empty() ? 0 : ids.size() - 1;
  while (pairs > 0) {
    size_t best = 0;
    for (size_t i = 1; i < pairs; ++i)
      if (merges[i].rank < merges[best].rank) best = i;
    if (merges[best].rank == kNone) break;
    ids[best] = merges[best].result;
    const auto at = static_cast<std::ptrdiff_t>(best);
    std::copy(ids.begin() + at + 2, ids.begin() + static_cast<std::ptrdiff_t>(pairs) + 1,
              ids.begin() + at + 1);
    std::copy(merges.begin() + at + 1, merges.begin() + static_cast<std::ptrdiff_t>(pairs),
              merges.begin() + at);
    --pairs;
    if (best > 0) merges[best - 1] = find(ids[best - 1], ids[best]);
    if (best < pairs) merges[best] = find(ids[best], ids[best + 1]);
  }
  out.insert(out.end(), ids.begin(),
             ids.begin() + static_cast<std::ptrdiff_t>(std::min(pairs + 1, ids.size())));
}

// A heap of (rank, place) over a linked list of symbols; an entry counts only while its place still
// has that rank.
void Merges::merge_many(Scratch& scratch, std::vector<int32_t>& out) const {
  auto& [ids, previous, next, tail, merges, heap] = scratch;
  const auto size = static_cast<int32_t>(ids.size());
  previous.resize(ids.size());
  next.resize(ids.size());
  heap.clear();
  const auto push = [&merges = merges, &heap = heap](size_t at) {
    if (merges[at].rank != kNone)
      heap.push_back(pair_key(merges[at].rank, static_cast<int32_t>(at)));
    return merges[at].rank != kNone;
  };
  for (int32_t at = 0; at < size; ++at) {
    previous[static_cast<size_t>(at)] = at - 1;
    next[static_cast<size_t>(at)] = at + 1;
    push(static_cast<size_t>(at));
  }
  std::make_heap(heap.begin(), heap.end(), std::greater<>());
  while (!heap.empty()) {
    std::pop_heap(heap.begin(), heap.end(), std::greater<>());
    const uint64_t entry = heap.back();
    heap.pop_back();
    const auto at = static_cast<size_t>(entry & 0xFFFFFFFFu);
    if (merges[at].rank != static_cast<int32_t>(entry >> 32)) continue;
    const auto gone = static_cast<size_t>(next[at]);
    ids[at] = merges[at].result;
    merges[gone] = {};
    next[at] = next[gone];
    if (next[at] < size) previous[static_cast<size_t>(next[at])] = static_cast<int32_t>(at);
    for (const int32_t changed : {previous[at], static_cast<int32_t>(at)}) {
      if (changed < 0) continue;
      const auto i = static_cast<size_t>(changed);
      merges[i] = next[i] < size ? find(ids[i], ids[static_cast<size_t>(next[i])]) : Merge{};
      if (push(i)) std::push_heap(heap.begin(), heap.end(), std::greater<>());
    }
  }
  for (int32_t at = 0; at < size; at = next[static_cast<size_t>(at)])
    out.push_back(ids[static_cast<size_t>(at)]);
}

// A sequence of tokens is the encoding of its bytes exactly if every two neighbours are the
// encoding of theirs: the first merge across a boundary would also happen among those two alone,
// and the other way round. So a window's tokens may be appended once re-encoding it together with
// some last tokens of what came before leaves the first of these as it was.
void Merges::encode_long(std::string_view word, const std::vector<int32_t>& token_length,
                         Scratch& scratch, std::vector<int32_t>& out) const {
  const size_t begin = out.size();
  auto& tail = scratch.tail;
  for (size_t done = 0; done < word.size();) {
    const size_t stop = std::min(word.size(), done + static_cast<size_t>(kWindow));
    for (size_t kept = 4;; kept *= 2) {
      kept = std::min(kept, out.size() - begin);
      size_t start = done;
      for (size_t i = out.size() - kept; i < out.size(); ++i)
        start -= static_cast<size_t>(token_length[static_cast<size_t>(out[i])]);
      tail.clear();
      this->begin(word.substr(start, stop - start), scratch);
      merge_many(scratch, tail);
      const size_t first = out.size() - kept;
      if (first > begin && tail.front() != out[first]) continue;
      out.resize(first);
      out.insert(out.end(), tail.begin(), tail.end());
      break;
    }
    done = stop;
  }
}

}  // namespace malssi
