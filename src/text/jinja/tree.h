// The tree of a parsed template.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "text/jinja/value.h"

namespace malssi::jinja {

struct Expression;
struct Statement;
using ExpressionPtr = std::unique_ptr<Expression>;
using Body = std::vector<Statement>;

enum class ExpressionKind {
  constant,     // value
  name,         // name
  list,         // parts
  tuple,        // parts
  dict,         // parts: key, value, key, value, ...
  member,       // parts[0].name
  item,         // parts[0][parts[1]]
  slice,        // parts[0][parts[1]:parts[2]:parts[3]], each but the first may be null
  call,         // parts[0](parts[1], ..., named)
  filter,       // parts[0] | name(parts[1], ..., named); parts[0] is null in {% filter %}
  test,         // parts[0] is name(parts[1], ..., named)
  unary,        // name: "not", "-", "+"
  binary,       // name: "+", "-", "*", "/", "//", "%", "**"
  logic,        // name: "and", "or"
  compare,      // parts[0] names[0] parts[1] names[1] parts[2] ...
  concat,       // parts joined by ~
  conditional,  // parts[0] if parts[1] else parts[2], which may be null
};

struct Expression {
  ExpressionKind kind = ExpressionKind::constant;
  int line = 1;
  int height = 1;  // levels below and including this one
  std::string name = {};
  Value value = {};
  std::vector<ExpressionPtr> parts = {};
  std::vector<std::string> names = {};
  std::vector<std::pair<std::string, ExpressionPtr>> named = {};
};

// Where {% set %} and {% for %} put a value: a variable, several, or a namespace's member.
struct Target {
  std::vector<std::string> names = {};
  std::string member = {};
  bool unpacks = false;
};

struct Parameter {
  std::string name;
  ExpressionPtr standard = {};  // its default, or null
};

enum class StatementKind {
  text,        // value
  output,      // expression
  branch,      // if expression: body, else: otherwise
  loop,        // for target in expression if condition: body, else: otherwise
  set,         // target = expression
  set_block,   // target = body, through the filters of expression if there is one
  macro,       // name(parameters): body
  call,        // expression is the call, body (parameters) is caller()
  filter,      // expression is the filter on body
  with,        // targets = expressions, body
  generation,  // body
  stop,        // break
  next,        // continue
};

struct Statement {
  StatementKind kind = StatementKind::text;
  int line = 1;
  Value value = {};
  std::string name = {};
  Target target = {};
  ExpressionPtr expression = {}, condition = {};
  std::vector<Parameter> parameters = {};  // of with: the variables
  Body body = {}, otherwise = {};
};

// Error: where, line, and what is wrong. The tree is at most 200 levels deep.
Body parse(std::string_view source, std::string_view where);

}  // namespace malssi::jinja
