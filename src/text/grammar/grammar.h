// Grammars: what a constrained answer may be. Three sources make one, each whole-match:
//   regex_grammar()        a regular expression
//   gbnf_grammar()         llama.cpp's grammar format
//   json_schema_grammar()  a JSON schema
// Characters are Unicode; an automaton over UTF-8 bytes (automaton.h) is made of them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"

namespace malssi {

struct GrammarNode;
using NodePtr = std::shared_ptr<const GrammarNode>;
using CharacterRanges = std::vector<std::pair<int32_t, int32_t>>;  // both ends included

enum class NodeKind { characters, sequence, choice, repeat, rule };

struct GrammarNode {
  NodeKind kind = NodeKind::sequence;
  CharacterRanges ranges = {};      // characters: one of these
  std::vector<NodePtr> parts = {};  // sequence: all in turn; choice: one; repeat: parts[0]
  int64_t least = 0, most = -1;     // repeat; -1: without end
  int32_t rule = -1;                // rule: its number
};

NodePtr characters(CharacterRanges ranges);
// All characters but these.
CharacterRanges complement(CharacterRanges ranges);
NodePtr literal(std::string_view text);  // UTF-8
NodePtr sequence(std::vector<NodePtr> parts);
NodePtr choice(std::vector<NodePtr> parts);
NodePtr repeat(NodePtr part, int64_t least, int64_t most);
NodePtr optional(NodePtr part);
NodePtr rule(int32_t number);

struct Grammar {
  std::vector<NodePtr> rules;  // the first is the whole
};

// Puts the rules of another grammar behind those that are there; the node stands for it as a whole.
NodePtr add_rules(Grammar& into, const Grammar& other);
// Any text, also none, that the marker does not stand in. The marker is ASCII; its first character comes in it once.
NodePtr text_without(std::string_view marker);

// Literals, . [..] [^..] \d \w \s \D \W \S \n \t \r \f \v \xHH \uHHHH, groups (..) and (?:..), |,
// * + ? {n} {n,} {n,m}, and ^ and $ at the ends. \d, \w and \s are ASCII; . is any character but
// \n. Error: anything else (lookaround, back references, lazy quantifiers, \b), with the place.
Grammar regex_grammar(std::string_view pattern);
// The expression alone, to build upon; anchored: whether it began with ^ and ended with $.
struct ParsedRegex {
  NodePtr node;
  bool from_start = false, to_end = false;
};
ParsedRegex parse_regex(std::string_view pattern);

// Rules `name ::= ...` with "literals", [classes], ., (groups), |, * + ? {n,m}, # comments; `root`
// is the whole. Error: with the line.
Grammar gbnf_grammar(std::string_view text);

// The values that a JSON schema allows, written on one line with at most one space after each ":"
// and ",". Members come in the order of "properties"; others follow where "additionalProperties"
// is true or a schema, or where there are no "properties" (their names may repeat). Integers have
// at most 18 digits. Taken: type, enum, const, properties, required, additionalProperties, items,
// prefixItems, minItems, maxItems, minLength, maxLength, pattern, format (date, time, date-time,
// uuid), minimum, maximum, exclusiveMinimum, exclusiveMaximum (of integers), anyOf, allOf, oneOf
// where at most one can hold, $ref within the schema. Error: any other keyword that restricts a
// value, with its place; a schema that nothing satisfies.
Grammar json_schema_grammar(const Json& schema);

}  // namespace malssi
