#include "text/grammar/grammar.h"

#include <algorithm>

#include "base/error.h"
#include "text/utf8.h"

namespace malssi {
namespace {

std::shared_ptr<GrammarNode> make(NodeKind kind) {
  auto node = std::make_shared<GrammarNode>();
  node->kind = kind;
  return node;
}

}  // namespace

NodePtr characters(CharacterRanges ranges) {
  auto node = make(NodeKind::characters);
  node->ranges = std::move(ranges);
  return node;
}

CharacterRanges complement(CharacterRanges ranges) {
  std::sort(ranges.begin(), ranges.end());
  CharacterRanges out;
  int32_t next = 0;
  for (const auto& [first, last] : ranges) {
    if (first > next) out.emplace_back(next, first - 1);
    next = std::max(next, last + 1);
  }
  if (next <= 0x10FFFF) out.emplace_back(next, 0x10FFFF);
  return out;
}

NodePtr literal(std::string_view text) {
  auto node = make(NodeKind::sequence);
  for (size_t at = 0; at < text.size();) {
    const CodePoint c = decode_utf8(text, static_cast<int64_t>(at));
    REQUIRE(c.value >= 0, "a grammar's text is not UTF-8");
    node->parts.push_back(characters({{c.value, c.value}}));
    at += static_cast<size_t>(c.length);
  }
  return node;
}

NodePtr sequence(std::vector<NodePtr> parts) {
  if (parts.size() == 1) return parts.front();
  auto node = make(NodeKind::sequence);
  node->parts = std::move(parts);
  return node;
}

NodePtr choice(std::vector<NodePtr> parts) {
  if (parts.size() == 1) return parts.front();
  auto node = make(NodeKind::choice);
  node->parts = std::move(parts);
  return node;
}

NodePtr repeat(NodePtr part, int64_t least, int64_t most) {
  REQUIRE(least >= 0 && (most < 0 || most >= least), "a repetition of ", least, " to ", most,
          " times is none");
  auto node = make(NodeKind::repeat);
  node->parts = {std::move(part)};
  node->least = least;
  node->most = most;
  return node;
}

NodePtr optional(NodePtr part) { return repeat(std::move(part), 0, 1); }

NodePtr rule(int32_t number) {
  auto node = make(NodeKind::rule);
  node->rule = number;
  return node;
}

}  // namespace malssi
