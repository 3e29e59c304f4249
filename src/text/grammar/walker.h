// Walks an automaton byte by byte. A place is the set of all stacks of states that the bytes so far
// can have led to; places and their successors are computed once and numbered, so that a step
// walked before is one look into a table. Stacks deeper than 256 are given up.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

#include "text/grammar/automaton.h"

namespace malssi {

class Walker {
 public:
  static constexpr int32_t kDead = -1;

  // The automaton must outlive it.
  explicit Walker(const Automaton& automaton) : automaton_(&automaton) {}

  int32_t start();
  // The place in one state alone, whatever called its rule: leaves() tells when the rule is left.
  int32_t inside(int32_t state);
  // The place after one more byte, or kDead. Error: more than 1,000 stacks at once.
  int32_t next(int32_t place, uint8_t byte) {
    const auto& table = at(place).next;
    const int32_t known = table ? (*table)[byte] : kUnset;
    return known != kUnset ? known : step(place, byte);
  }
  bool complete(int32_t place) const { return at(place).complete; }
  bool leaves(int32_t place) const { return at(place).leaves; }
  // The states on top of its stacks, each once; each takes some byte.
  std::vector<int32_t> tops(int32_t place) const;
  int64_t size() const { return static_cast<int64_t>(places_.size()); }
  // Forgets all places but this one, which gets a new number.
  int32_t keep_only(int32_t place);

 private:
  static constexpr int32_t kBottom = -1, kUnknown = -2, kUnset = -2;
  struct Stack {
    int32_t state, below;
    int32_t depth;
  };
  struct Place {
    std::vector<int32_t> stacks = {};  // sorted
    bool complete = false, leaves = false;
    std::unique_ptr<std::array<int32_t, 256>> next = {};
  };

  const Place& at(int32_t place) const { return places_[static_cast<size_t>(place)]; }
  int32_t step(int32_t place, uint8_t byte);
  int32_t push(int32_t state, int32_t below);
  void close(int32_t stack, Place& out);
  int32_t number(Place place);

  const Automaton* automaton_;
  std::vector<Stack> stacks_;
  std::unordered_map<uint64_t, int32_t> stack_numbers_;
  std::vector<Place> places_;
  std::map<std::pair<std::vector<int32_t>, int>, int32_t> place_numbers_;
  std::vector<int32_t> seen_;  // by stack: the last closing that met it
  int32_t closing_ = 0;
};

}  // namespace malssi
