// Grammars made of others.
#include <algorithm>
#include <unordered_map>

#include "base/error.h"
#include "text/grammar/grammar.h"

namespace malssi {
namespace {

constexpr int kMaxDepth = 500;

// Nodes with the numbers of their rules raised; a node that several share stays shared.
class Renumbering {
 public:
  explicit Renumbering(int32_t by) : by_(by) {}

  NodePtr operator()(const NodePtr& node, int depth = 0) {
    REQUIRE(depth < kMaxDepth, "the grammar is nested deeper than ", kMaxDepth, " levels");
    if (const auto known = done_.find(node.get()); known != done_.end()) return known->second;
    GrammarNode copy = *node;
    if (copy.kind == NodeKind::rule) copy.rule += by_;
    for (NodePtr& part : copy.parts) part = (*this)(part, depth + 1);
    return done_[node.get()] = std::make_shared<const GrammarNode>(std::move(copy));
  }

 private:
  int32_t by_;
  std::unordered_map<const GrammarNode*, NodePtr> done_;
};

CharacterRanges one(char c) { return {{c, c}}; }

}  // namespace

NodePtr add_rules(Grammar& into, const Grammar& other) {
  const auto first = static_cast<int32_t>(into.rules.size());
  Renumbering renumbered(first);
  for (const NodePtr& node : other.rules) into.rules.push_back(renumbered(node));
  return rule(first);
}

// Beginnings of the marker may come, each followed by what does not go on with it, or by the marker's first character, with
// which the next one begins.
NodePtr text_without(std::string_view marker) {
  CHECK(!marker.empty() && std::count(marker.begin(), marker.end(), marker[0]) == 1, marker);
  std::vector<NodePtr> broken, open;
  for (size_t length = 1; length < marker.size(); ++length) {
    const NodePtr begun = literal(marker.substr(0, length));
    CharacterRanges next = one(marker[length]);
    next.push_back({marker[0], marker[0]});
    std::sort(next.begin(), next.end());
    broken.push_back(sequence({begun, characters(complement(next))}));
    open.push_back(begun);
  }
  if (open.empty()) return repeat(characters(complement(one(marker[0]))), 0, -1);
  const NodePtr beginnings = repeat(choice(open), 0, -1);
  return sequence({repeat(choice({characters(complement(one(marker[0]))),
                                  sequence({beginnings, choice(broken)})}),
                          0, -1),
                   beginnings});
}

}  // namespace malssi
