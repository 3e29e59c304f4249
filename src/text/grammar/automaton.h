// A grammar as a pushdown automaton over bytes: per rule a nondeterministic automaton whose edges
// take a byte, nothing, or another rule. Error: left recursion, or more than 200,000 states.
#pragma once

#include <cstdint>
#include <vector>

#include "text/grammar/grammar.h"

namespace malssi {

struct Automaton {
  struct ByteEdge {
    uint8_t first, last;
    int32_t target;
  };
  struct Call {
    int32_t rule, target;
  };
  struct State {
    std::vector<ByteEdge> bytes = {};
    std::vector<int32_t> free = {};  // targets that take nothing
    std::vector<Call> calls = {};
    bool ends_rule = false;
  };

  std::vector<State> states;
  std::vector<int32_t> starts;  // of each rule
};

Automaton compile(const Grammar& grammar);

}  // namespace malssi
