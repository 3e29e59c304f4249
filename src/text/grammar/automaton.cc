#include "text/grammar/automaton.h"

#include <algorithm>
#include <array>

#include "base/error.h"
#include "text/utf8.h"

namespace malssi {
namespace {

constexpr size_t kMaxStates = 200'000;
constexpr int64_t kMaxSteps = 2'000'000;
constexpr int kMaxDepth = 500;

class Compiler {
 public:
  explicit Compiler(const Grammar& grammar) : grammar_(grammar) {
    for (size_t i = 0; i < grammar.rules.size(); ++i) {
      REQUIRE(grammar.rules[i], "a rule of the grammar is not defined");
      out_.starts.push_back(state());
    }
    for (size_t i = 0; i < grammar.rules.size(); ++i)
      at(add(*grammar.rules[i], out_.starts[i], 0)).ends_rule = true;
    refuse_left_recursion();
  }
  Automaton take() { return std::move(out_); }

 private:
  Automaton::State& at(int32_t state) { return out_.states[static_cast<size_t>(state)]; }

  int32_t state() {
    REQUIRE(out_.states.size() < kMaxStates, "the grammar needs more than ", kMaxStates,
            " states: allow fewer repetitions");
    out_.states.emplace_back();
    return static_cast<int32_t>(out_.states.size()) - 1;
  }
  void link(int32_t from, int32_t to) { at(from).free.push_back(to); }

  // Adds what the node takes after `from`; returns the state after it.
  int32_t add(const GrammarNode& node, int32_t from, int depth) {
    REQUIRE(++steps_ <= kMaxSteps, "the grammar repeats too much: allow fewer repetitions");
    REQUIRE(depth < kMaxDepth, "the grammar is nested deeper than ", kMaxDepth, " levels");
    switch (node.kind) {
      case NodeKind::characters:
        return add_characters(node.ranges, from);
      case NodeKind::sequence:
        for (const NodePtr& part : node.parts) from = add(*part, from, depth + 1);
        return from;
      case NodeKind::choice: {
        const int32_t to = state();
        for (const NodePtr& part : node.parts) link(add(*part, fork(from), depth + 1), to);
        return to;
      }
      case NodeKind::repeat:
        return add_repeat(node, from, depth);
      case NodeKind::rule: {
        CHECK(node.rule >= 0 && node.rule < static_cast<int32_t>(out_.starts.size()), "rule");
        const int32_t to = state();
        at(from).calls.push_back({node.rule, to});
        return to;
      }
    }
    CHECK(false, "unknown node");
  }

  int32_t fork(int32_t from) {
    const int32_t branch = state();
    link(from, branch);
    return branch;
  }

  int32_t add_repeat(const GrammarNode& node, int32_t from, int depth) {
    const GrammarNode& part = *node.parts[0];
    for (int64_t i = 0; i < node.least; ++i) from = add(part, from, depth + 1);
    if (node.most < 0) {
      const int32_t loop = fork(from), out = state();
      link(add(part, loop, depth + 1), loop);
      link(loop, out);
      return out;
    }
    const int32_t out = state();
    for (int64_t i = node.least; i < node.most; ++i) {
      link(from, out);
      from = add(part, fork(from), depth + 1);
    }
    link(from, out);
    return out;
  }

  int32_t add_characters(const CharacterRanges& ranges, int32_t from) {
    const int32_t to = state();
    for (const auto& [first, last] : ranges) {
      add_range(from, to, first, std::min(last, 0xD7FF));  // there are no surrogates in UTF-8
      add_range(from, to, std::max(first, 0xE000), last);
    }
    return to;
  }

  // Cuts the range at the lengths of UTF-8, then so that each piece is a range in every byte.
  void add_range(int32_t from, int32_t to, int32_t first, int32_t last) {
    if (first > last) return;
    for (const int32_t end : {0x7F, 0x7FF, 0xFFFF}) {
      if (first > end || last <= end) continue;
      add_range(from, to, first, end);
      return add_range(from, to, end + 1, last);
    }
    for (int shift = 6; shift <= 18 && first > 0x7F; shift += 6) {
      const int32_t low = (1 << shift) - 1;
      if ((first & ~low) == (last & ~low)) break;
      const int32_t cut = (first & low) != 0    ? first | low
                          : (last & low) != low ? (last & ~low) - 1
                                                : -1;
      if (cut < 0) continue;
      add_range(from, to, first, cut);
      return add_range(from, to, cut + 1, last);
    }
    const std::string a = to_utf8(first), b = to_utf8(last);
    for (size_t i = 0; i < a.size(); ++i) {
      const int32_t next = i + 1 == a.size() ? to : state();
      at(from).bytes.push_back({static_cast<uint8_t>(a[i]), static_cast<uint8_t>(b[i]), next});
      from = next;
    }
  }

  // The rules that each rule may call before it takes a byte: one walk over all states that are reached without a byte, where
  // the states behind a call wait until the called rule is known to end so.
  std::vector<std::vector<int32_t>> first_calls() const {
    std::vector<std::vector<int32_t>> first(out_.starts.size()), waiting(out_.starts.size());
    std::vector<bool> ends_empty(out_.starts.size());
    std::vector<int32_t> rule_of(out_.states.size(), -1), reached;
    const auto reach = [&](int32_t state, int32_t rule) {
      if (rule_of[static_cast<size_t>(state)] >= 0) return;
      rule_of[static_cast<size_t>(state)] = rule;
      reached.push_back(state);
    };
    for (size_t r = 0; r < first.size(); ++r) reach(out_.starts[r], static_cast<int32_t>(r));
    std::vector<int32_t> caller_of(out_.states.size(), -1);  // of states that wait
    for (size_t i = 0; i < reached.size(); ++i) {
      const Automaton::State& state = out_.states[static_cast<size_t>(reached[i])];
      const int32_t rule = rule_of[static_cast<size_t>(reached[i])];
      for (const int32_t target : state.free) reach(target, rule);
      for (const Automaton::Call& call : state.calls) {
        const auto called = static_cast<size_t>(call.rule);
        first[static_cast<size_t>(rule)].push_back(call.rule);
        if (ends_empty[called]) {
          reach(call.target, rule);
        } else {
          waiting[called].push_back(call.target);
          caller_of[static_cast<size_t>(call.target)] = rule;
        }
      }
      if (!state.ends_rule || ends_empty[static_cast<size_t>(rule)]) continue;
      ends_empty[static_cast<size_t>(rule)] = true;
      for (const int32_t target : waiting[static_cast<size_t>(rule)])
        reach(target, caller_of[static_cast<size_t>(target)]);
    }
    return first;
  }

  void refuse_left_recursion() const {
    const std::vector<std::vector<int32_t>> first = first_calls();
    std::vector<int> mark(first.size());  // 0: not seen, 1: on the way, 2: done
    for (size_t r = 0; r < first.size(); ++r) check_cycle(static_cast<int32_t>(r), first, mark, 0);
  }

  static void check_cycle(int32_t r, const std::vector<std::vector<int32_t>>& first,
                          std::vector<int>& mark, int depth) {
    int& own = mark[static_cast<size_t>(r)];
    REQUIRE(own != 1, "the grammar is left-recursive: a rule begins with itself");
    REQUIRE(depth < 10'000, "the grammar's rules are nested too deeply");
    if (own == 2) return;
    own = 1;
    for (const int32_t other : first[static_cast<size_t>(r)])
      check_cycle(other, first, mark, depth + 1);
    mark[static_cast<size_t>(r)] = 2;
  }

  const Grammar& grammar_;
  Automaton out_;
  int64_t steps_ = 0;
};

}  // namespace

Automaton compile(const Grammar& grammar) { return Compiler(grammar).take(); }

}  // namespace malssi
