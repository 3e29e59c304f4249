// The merges of a BPE vocabulary, and the merging of one word: the pair of lowest rank first, the
// leftmost of equals, until no pair of neighbours is listed.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace malssi {

class Merges {
 public:
  static constexpr int32_t kNone = INT32_MAX;
  struct Merge {
    int32_t rank = kNone;
    int32_t result = -1;
  };
  struct Rule {
    int32_t left, right, result;
    int32_t rank = -1;  // -1: the next one; rules may share a rank
  };
  // Memory that one thread reuses from word to word.
  struct Scratch {
    std::vector<int32_t> ids, previous, next, tail;
    std::vector<Merge> merges;
    std::vector<uint64_t> heap;
  };

  Merges();
  // Appends the rule; its rank is its number unless it brings one of its own. False when the pair already has one.
  bool add(Rule rule);
  void reserve(int64_t count);
  void set_byte_id(uint8_t byte, int32_t id) { byte_ids_[byte] = id; }
  int32_t byte_id(uint8_t byte) const { return byte_ids_[byte]; }  // -1: there is none
  int32_t known_byte_id(uint8_t byte) const;                       // Error: there is none
  const std::vector<Rule>& rules() const { return rules_; }
  Merge find(int32_t left, int32_t right) const;
  // Once all byte ids and rules are there: makes the table of byte pairs that encode() starts from.
  void finish();

  // Appends the ids of a word (any bytes, any length) to `out`; the time grows with its length
  // alone. token_length(id) is the number of bytes of an id. Error: a byte that the vocabulary
  // lacks.
  void encode(std::string_view word, const std::vector<int32_t>& token_length, Scratch& scratch,
              std::vector<int32_t>& out) const;
  // The same for a word given as ids; the time grows like n log n.
  void encode_ids(std::span<const int32_t> ids, Scratch& scratch, std::vector<int32_t>& out) const;

 private:
  struct Slot {
    uint64_t pair = 0;
    Merge merge;
  };
  void rehash(size_t slots);
  size_t slot_of(uint64_t pair) const;
  // Fills the scratch with the ids of the bytes and the merges of neighbours (one entry per byte, the last without).
  void begin(std::string_view word, Scratch& scratch) const;
  // Merge what the scratch holds and append the outcome: by a scan for few ids, by a heap for many.
  void merge_few(Scratch& scratch, std::vector<int32_t>& out) const;
  void merge_many(Scratch& scratch, std::vector<int32_t>& out) const;
  void encode_long(std::string_view word, const std::vector<int32_t>& token_length,
                   Scratch& scratch, std::vector<int32_t>& out) const;

  std::array<int32_t, 256> byte_ids_;
  std::vector<Merge> byte_pairs_;  // by two bytes
  std::vector<Rule> rules_;
  std::vector<Slot> slots_;
};

}  // namespace malssi
