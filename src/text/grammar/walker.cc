#include "text/grammar/walker.h"

#include <algorithm>

#include "base/error.h"

namespace malssi {
namespace {

constexpr int32_t kMaxDepth = 256;
constexpr size_t kMaxStacks = 1000;

}  // namespace

int32_t Walker::push(int32_t state, int32_t below) {
  const uint64_t key =
      (static_cast<uint64_t>(static_cast<uint32_t>(state)) << 32) | static_cast<uint32_t>(below);
  const auto [found, added] = stack_numbers_.emplace(key, static_cast<int32_t>(stacks_.size()));
  if (added) {
    const int32_t depth = below < 0 ? 0 : stacks_[static_cast<size_t>(below)].depth + 1;
    stacks_.push_back({state, below, depth});
    seen_.push_back(0);
  }
  return found->second;
}

// Follows everything that takes no byte; keeps the stacks whose top takes one.
void Walker::close(int32_t stack, Place& out) {
  std::vector<int32_t> open = {stack};
  while (!open.empty()) {
    const int32_t number = open.back();
    open.pop_back();
    if (seen_[static_cast<size_t>(number)] == closing_) continue;
    seen_[static_cast<size_t>(number)] = closing_;
    const Stack top = stacks_[static_cast<size_t>(number)];
    if (top.depth > kMaxDepth) continue;
    const Automaton::State& state = automaton_->states[static_cast<size_t>(top.state)];
    if (!state.bytes.empty()) out.stacks.push_back(number);
    REQUIRE(out.stacks.size() <= kMaxStacks, "the grammar is too ambiguous: more than ", kMaxStacks,
            " ways to go on");
    for (const int32_t target : state.free) open.push_back(push(target, top.below));
    for (const Automaton::Call& call : state.calls) {
      const Automaton::State& after = automaton_->states[static_cast<size_t>(call.target)];
      const bool last = after.ends_rule && after.bytes.empty() && after.free.empty() &&
                        after.calls.empty();  // nothing to come back to
      const int32_t below = last ? top.below : push(call.target, top.below);
      open.push_back(push(automaton_->starts[static_cast<size_t>(call.rule)], below));
    }
    if (!state.ends_rule) continue;
    if (top.below == kBottom)
      out.complete = true;
    else if (top.below == kUnknown)
      out.leaves = true;
    else
      open.push_back(top.below);
  }
}

int32_t Walker::number(Place place) {
  if (place.stacks.empty() && !place.complete && !place.leaves) return kDead;
  std::sort(place.stacks.begin(), place.stacks.end());
  const int flags = (place.complete ? 1 : 0) + (place.leaves ? 2 : 0);
  const auto [found, added] =
      place_numbers_.emplace(std::pair(place.stacks, flags), static_cast<int32_t>(places_.size()));
  if (added) places_.push_back(std::move(place));
  return found->second;
}

int32_t Walker::start() {
  ++closing_;
  Place place;
  close(push(automaton_->starts.front(), kBottom), place);
  return number(std::move(place));
}

int32_t Walker::inside(int32_t state) {
  Place place;
  place.stacks.push_back(push(state, kUnknown));
  return number(std::move(place));
}

// As next(), of a step that was not taken before; the bytes about this one that go the same way have taken it, too.
int32_t Walker::step(int32_t place, uint8_t byte) {
  auto& table = places_[static_cast<size_t>(place)].next;
  if (!table) {
    table = std::make_unique<std::array<int32_t, 256>>();
    table->fill(kUnset);
  }
  ++closing_;
  Place after;
  int first = 0, last = 255;
  for (const int32_t number : std::vector(at(place).stacks)) {
    const Stack stack = stacks_[static_cast<size_t>(number)];
    for (const Automaton::ByteEdge& edge :
         automaton_->states[static_cast<size_t>(stack.state)].bytes) {
      if (byte < edge.first) {
        last = std::min(last, edge.first - 1);
      } else if (byte > edge.last) {
        first = std::max(first, edge.last + 1);
      } else {
        first = std::max<int>(first, edge.first);
        last = std::min<int>(last, edge.last);
        close(push(edge.target, stack.below), after);
      }
    }
  }
  const int32_t to = number(std::move(after));
  auto* const steps = places_[static_cast<size_t>(place)].next->data();
  std::fill(steps + first, steps + last + 1, to);
  return to;
}

std::vector<int32_t> Walker::tops(int32_t place) const {
  std::vector<int32_t> states;
  for (const int32_t stack : at(place).stacks)
    states.push_back(stacks_[static_cast<size_t>(stack)].state);
  std::sort(states.begin(), states.end());
  states.erase(std::unique(states.begin(), states.end()), states.end());
  return states;
}

int32_t Walker::keep_only(int32_t place) {
  Walker fresh(*automaton_);
  Place kept{.complete = at(place).complete, .leaves = at(place).leaves};
  for (const int32_t number : at(place).stacks) {
    std::vector<int32_t> states;
    int32_t below = number;
    for (; below >= 0; below = stacks_[static_cast<size_t>(below)].below)
      states.push_back(stacks_[static_cast<size_t>(below)].state);
    for (auto state = states.rbegin(); state != states.rend(); ++state)
      below = fresh.push(*state, below);
    kept.stacks.push_back(below);
  }
  const int32_t number = fresh.number(std::move(kept));
  *this = std::move(fresh);
  return number;
}

}  // namespace malssi
