#include "text/jinja/expression_parser.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <string_view>

#include "base/error.h"

namespace malssi::jinja {
namespace {

constexpr int kMaxDepth = 200;   // brackets and statements inside each other
constexpr int kMaxHeight = 500;  // of an expression's tree; a long a + b + c ... is a high one

}  // namespace

ExpressionParser::Level::Level(ExpressionParser& parser) : parser_(parser) {
  if (++parser_.depth_ > kMaxDepth)
    parser_.fail(concat("nested deeper than ", kMaxDepth, " levels"));
}

void ExpressionParser::fail(const std::string& what) const {
  throw Error(concat(where_, ": line ", peek().line, ": ", what));
}

const Token& ExpressionParser::peek(size_t ahead) const {
  return tokens_[std::min(at_ + ahead, tokens_.size() - 1)];
}

Token ExpressionParser::take() {
  Token token = peek();
  if (at_ + 1 < tokens_.size()) ++at_;
  return token;
}

bool ExpressionParser::at_symbol(std::string_view symbol) const {
  return peek().kind == TokenKind::symbol && peek().text == symbol;
}

bool ExpressionParser::at_name(std::string_view name, size_t ahead) const {
  return peek(ahead).kind == TokenKind::name && peek(ahead).text == name;
}

bool ExpressionParser::take_symbol(std::string_view symbol) {
  const bool found = at_symbol(symbol);
  if (found) take();
  return found;
}

bool ExpressionParser::take_name(std::string_view name) {
  const bool found = at_name(name);
  if (found) take();
  return found;
}

void ExpressionParser::expect_symbol(std::string_view symbol) {
  if (!take_symbol(symbol)) fail(concat("expected '", symbol, "', found '", peek().text, "'"));
}

std::string ExpressionParser::expect_name(std::string_view what) {
  if (peek().kind != TokenKind::name)
    fail(concat("expected ", what, ", found '", peek().text, "'"));
  return take().text;
}

ExpressionPtr ExpressionParser::make(ExpressionKind kind, std::string name) const {
  auto node = std::make_unique<Expression>();
  node->kind = kind;
  node->line = peek().line;
  node->name = std::move(name);
  return node;
}

void ExpressionParser::add(Expression& node, ExpressionPtr part) const {
  if (part) node.height = std::max(node.height, part->height + 1);
  if (node.height > kMaxHeight) fail("an expression is too long");
  node.parts.push_back(std::move(part));
}

ExpressionPtr ExpressionParser::joined(ExpressionKind kind, std::string name, ExpressionPtr left,
                                       ExpressionPtr right) const {
  ExpressionPtr node = make(kind, std::move(name));
  node->line = left->line;
  add(*node, std::move(left));
  add(*node, std::move(right));
  return node;
}

ExpressionPtr ExpressionParser::tuple_of(ExpressionPtr (ExpressionParser::*element)()) {
  ExpressionPtr first = (this->*element)();
  if (!at_symbol(",")) return first;
  ExpressionPtr node = make(ExpressionKind::tuple);
  add(*node, std::move(first));
  while (take_symbol(",")) {
    const TokenKind next = peek().kind;
    if (next == TokenKind::block_end || next == TokenKind::output_end || at_symbol(")")) break;
    add(*node, (this->*element)());
  }
  return node;
}

ExpressionPtr ExpressionParser::tuple() { return tuple_of(&ExpressionParser::expression); }

ExpressionPtr ExpressionParser::tuple_without_condition() {
  return tuple_of(&ExpressionParser::logic_or);
}

ExpressionPtr ExpressionParser::expression() {
  const Level level(*this);
  ExpressionPtr value = logic_or();
  while (take_name("if")) {
    ExpressionPtr node = joined(ExpressionKind::conditional, "", std::move(value), logic_or());
    add(*node, take_name("else") ? expression() : nullptr);
    value = std::move(node);
  }
  return value;
}

ExpressionPtr ExpressionParser::logic_or() {
  ExpressionPtr left = logic_and();
  while (take_name("or")) left = joined(ExpressionKind::logic, "or", std::move(left), logic_and());
  return left;
}

ExpressionPtr ExpressionParser::logic_and() {
  ExpressionPtr left = negation();
  while (take_name("and")) left = joined(ExpressionKind::logic, "and", std::move(left), negation());
  return left;
}

ExpressionPtr ExpressionParser::negation() {
  if (!at_name("not") || at_name("in", 1)) return comparison();
  const Level level(*this);
  ExpressionPtr node = make(ExpressionKind::unary, "not");
  take();
  add(*node, negation());
  return node;
}

// "" where there is none.
std::string ExpressionParser::comparison_operator() {
  for (const char* symbol : {"==", "!=", "<=", ">=", "<", ">"})
    if (take_symbol(symbol)) return symbol;
  if (take_name("in")) return "in";
  if (!at_name("not") || !at_name("in", 1)) return "";
  take();
  take();
  return "not in";
}

ExpressionPtr ExpressionParser::comparison() {
  ExpressionPtr left = sum();
  std::string name = comparison_operator();
  if (name.empty()) return left;
  ExpressionPtr node = make(ExpressionKind::compare);
  add(*node, std::move(left));
  for (; !name.empty(); name = comparison_operator()) {
    node->names.push_back(name);
    add(*node, sum());
  }
  return node;
}

ExpressionPtr ExpressionParser::sum() {
  ExpressionPtr left = concatenation();
  while (at_symbol("+") || at_symbol("-")) {
    std::string name = take().text;
    left = joined(ExpressionKind::binary, std::move(name), std::move(left), concatenation());
  }
  return left;
}

ExpressionPtr ExpressionParser::concatenation() {
  ExpressionPtr first = product();
  if (!at_symbol("~")) return first;
  ExpressionPtr node = make(ExpressionKind::concat);
  add(*node, std::move(first));
  while (take_symbol("~")) add(*node, product());
  return node;
}

ExpressionPtr ExpressionParser::product() {
  ExpressionPtr left = power();
  while (at_symbol("*") || at_symbol("/") || at_symbol("//") || at_symbol("%")) {
    std::string name = take().text;
    left = joined(ExpressionKind::binary, std::move(name), std::move(left), power());
  }
  return left;
}

ExpressionPtr ExpressionParser::power() {
  ExpressionPtr left = unary(true);
  while (take_symbol("**"))
    left = joined(ExpressionKind::binary, "**", std::move(left), unary(true));
  return left;
}

ExpressionPtr ExpressionParser::unary(bool with_filters) {
  const Level level(*this);
  ExpressionPtr node;
  if (at_symbol("-") || at_symbol("+")) {
    node = make(ExpressionKind::unary, peek().text);
    take();
    add(*node, unary(false));
  } else {
    node = primary();
  }
  node = postfix(std::move(node));
  return with_filters ? filters_and_tests(std::move(node)) : std::move(node);
}

ExpressionPtr ExpressionParser::primary() {
  switch (peek().kind) {
    case TokenKind::name:
      return named_primary();
    case TokenKind::integer:
    case TokenKind::real:
      return number();
    case TokenKind::string:
      return string();
    default:
      break;
  }
  if (at_symbol("[")) return list();
  if (at_symbol("{")) return dict();
  if (!take_symbol("(")) fail(concat("expected a value, found '", peek().text, "'"));
  ExpressionPtr inside = at_symbol(")") ? make(ExpressionKind::tuple) : tuple();
  expect_symbol(")");
  return inside;
}

ExpressionPtr ExpressionParser::named_primary() {
  static const std::map<std::string_view, Value> constants = {{"true", true},   {"True", true},
                                                              {"false", false}, {"False", false},
                                                              {"none", None{}}, {"None", None{}}};
  ExpressionPtr node = make(ExpressionKind::name, peek().text);
  take();
  const auto constant = constants.find(node->name);
  if (constant == constants.end()) return node;
  node->kind = ExpressionKind::constant;
  node->value = constant->second;
  return node;
}

ExpressionPtr ExpressionParser::number() {
  ExpressionPtr node = make(ExpressionKind::constant);
  const Token token = take();
  const char* end = token.text.data() + token.text.size();
  int64_t integer = 0;
  double real = 0;
  const auto read = token.kind == TokenKind::integer
                        ? std::from_chars(token.text.data(), end, integer)
                        : std::from_chars(token.text.data(), end, real);
  if (read.ec != std::errc() || read.ptr != end)
    fail(concat("the number ", token.text, " is too large"));
  if (token.kind == TokenKind::integer)
    node->value = integer;
  else
    node->value = real;
  return node;
}

ExpressionPtr ExpressionParser::string() {
  ExpressionPtr node = make(ExpressionKind::constant);
  std::string text;
  while (peek().kind == TokenKind::string) text += take().text;  // side by side they are one
  node->value = std::make_shared<const Text>(std::move(text));
  return node;
}

ExpressionPtr ExpressionParser::list() {
  ExpressionPtr node = make(ExpressionKind::list);
  for (expect_symbol("["); !at_symbol("]");) {
    add(*node, expression());
    if (!at_symbol("]")) expect_symbol(",");
  }
  expect_symbol("]");
  return node;
}

ExpressionPtr ExpressionParser::dict() {
  ExpressionPtr node = make(ExpressionKind::dict);
  for (expect_symbol("{"); !at_symbol("}");) {
    add(*node, expression());
    expect_symbol(":");
    add(*node, expression());
    if (!at_symbol("}")) expect_symbol(",");
  }
  expect_symbol("}");
  return node;
}

ExpressionPtr ExpressionParser::postfix(ExpressionPtr node) {
  while (true) {
    if (take_symbol(".")) {
      const bool number = peek().kind == TokenKind::integer;
      if (!number && peek().kind != TokenKind::name) fail("expected a member's name after '.'");
      ExpressionPtr member = make(ExpressionKind::member, number ? "" : peek().text);
      add(*member, std::move(node));
      if (number) {  // a.0 is a[0]
        member->kind = ExpressionKind::item;
        add(*member, this->number());
      } else {
        take();
      }
      node = std::move(member);
    } else if (at_symbol("[")) {
      node = subscript(std::move(node));
    } else if (at_symbol("(")) {
      ExpressionPtr call = make(ExpressionKind::call);
      add(*call, std::move(node));
      arguments(*call);
      node = std::move(call);
    } else {
      return node;
    }
  }
}

ExpressionPtr ExpressionParser::subscript(ExpressionPtr node) {
  ExpressionPtr item = make(ExpressionKind::item);
  add(*item, std::move(node));
  expect_symbol("[");
  ExpressionPtr first = at_symbol(":") ? nullptr : tuple();
  if (at_symbol(":")) {
    item->kind = ExpressionKind::slice;
    add(*item, std::move(first));
    for (int part = 0; part < 2; ++part) {
      const bool given = take_symbol(":") && !at_symbol(":") && !at_symbol("]");
      add(*item, given ? expression() : nullptr);
    }
  } else {
    add(*item, std::move(first));
  }
  expect_symbol("]");
  return item;
}

void ExpressionParser::arguments(Expression& node) {
  for (expect_symbol("("); !at_symbol(")");) {
    if (at_symbol("*") || at_symbol("**")) fail("arguments with * are not supported");
    const bool named =
        peek().kind == TokenKind::name && peek(1).kind == TokenKind::symbol && peek(1).text == "=";
    if (named) {
      std::string name = take().text;
      take();
      node.named.emplace_back(std::move(name), expression());
      node.height = std::max(node.height, node.named.back().second->height + 1);
    } else {
      if (!node.named.empty()) fail("an argument without a name stands after one with a name");
      add(node, expression());
    }
    if (!at_symbol(")")) expect_symbol(",");
  }
  expect_symbol(")");
}

ExpressionPtr ExpressionParser::filters(ExpressionPtr input) {
  do {
    ExpressionPtr node = make(ExpressionKind::filter, expect_name("a filter"));
    node->height = 2;
    add(*node, std::move(input));
    if (at_symbol("(")) arguments(*node);
    input = std::move(node);
  } while (take_symbol("|"));
  return input;
}

ExpressionPtr ExpressionParser::filters_and_tests(ExpressionPtr node) {
  while (true) {
    if (take_symbol("|"))
      node = filters(std::move(node));
    else if (take_name("is"))
      node = test(std::move(node));
    else if (at_symbol("("))
      node = postfix(std::move(node));
    else
      return node;
  }
}

ExpressionPtr ExpressionParser::test(ExpressionPtr node) {
  const bool negated = take_name("not");
  ExpressionPtr made = make(ExpressionKind::test, expect_name("a test"));
  add(*made, std::move(node));
  const TokenKind next = peek().kind;
  const bool keyword = at_name("else") || at_name("or") || at_name("and") || at_name("is") ||
                       at_name("if") || at_name("in") || at_name("not");
  if (at_symbol("("))
    arguments(*made);
  else if ((next == TokenKind::name && !keyword) || next == TokenKind::string ||
           next == TokenKind::integer || next == TokenKind::real || at_symbol("[") ||
           at_symbol("{"))
    add(*made, postfix(primary()));
  if (!negated) return made;
  ExpressionPtr inverse = make(ExpressionKind::unary, "not");
  add(*inverse, std::move(made));
  return inverse;
}

}  // namespace malssi::jinja
