// The merges of a BPE vocabulary, and the merging of one word: the pair of lowest rank first, the
// leftmost of equals, until no pair of neighbours is listed.
#pragma once

#include <array>
#include <cstdint>
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
  };
  // Memory that one thread reuses from word to word.
  struct Scratch {
    std::vector<int32_t> ids, previous, next, tail;
    std::vector<Merge> merges;
    std::vector<uint64_t> heap;
  };

  Merges();
  // Appends the rule with the next rank. False when the pair already has one.
  bool add(Rule rule);
  void reserve(int64_t count);
  void set_byte_id(uint8_t byte, int32_t id) { byte_ids_[byte] = id; }
  int32_t byte_id(uint8_t byte) const { return byte_ids_[byte]; }
  const std::vector<Rule>& rules() const { return rules_; }
  Merge find(int32_t left, int32_t right) const;
  // Once all byte ids and rules are there: makes the table of byte pairs that encode() starts from.
  void finish();

  // Appends the ids of a word (any bytes, any length) to `out`; the time grows with its length
  // alone. token_length(id) is the number of bytes of an id. Error: a byte that the vocabulary
  // lacks.
  void encode(std::string_view word, const std::vector<int32_t>& token_length, Scratch& scratch,
              std::vector<int32_t>& out) const;

 private:
  struct Slot {
    uint64_t pair = 0;
    Merge merge;
  };
  void rehash(size_t slots);
  size_t slot_of(uint64_t pair) const;
  // Fills the scratch with the ids of the bytes and the merges of neighbours (one entry per byte, the last without).
  void begin(std::string_view word, Scratch& scratch) const;
  void encode_short(std::string_view word, Scratch& scratch, std::vector<int32_t>& out) const;
  void encode_window(std::string_view window, Scratch& scratch, std::vector<int32_t>& out) const;
  void encode_long(std::string_view word, const std::vector<int32_t>& token_length,
                   Scratch& scratch, std::vector<int32_t>& out) const;

  std::array<int32_t, 256> byte_ids_;
  std::vector<Merge> byte_pairs_;  // by two bytes
  std::vector<Rule> rules_;
  std::vector<Slot> slots_;
};

}  // namespace malssi
