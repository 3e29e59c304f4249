// Reads expressions from a template's tokens; Jinja's precedence, lowest first: if-else, or, and,
// not, comparisons, + -, ~, * / // %, **, unary minus, then members, calls, filters and tests.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "text/jinja/lexer.h"
#include "text/jinja/tree.h"

namespace malssi::jinja {

class ExpressionParser {
 public:
  ExpressionParser(std::vector<Token> tokens, std::string_view where)
      : tokens_(std::move(tokens)), where_(where) {}

  // With commas it is a tuple.
  ExpressionPtr tuple();
  ExpressionPtr expression();
  // The same without a bare if-else: what {% for %} iterates over, before its `if`.
  ExpressionPtr tuple_without_condition();
  // `name(arguments) | name ...` applied to `input`, which may be null.
  ExpressionPtr filters(ExpressionPtr input);

  const Token& peek(size_t ahead = 0) const;
  Token take();
  bool at_symbol(std::string_view symbol) const;
  bool at_name(std::string_view name, size_t ahead = 0) const;
  bool take_symbol(std::string_view symbol);
  bool take_name(std::string_view name);
  void expect_symbol(std::string_view symbol);
  std::string expect_name(std::string_view what);
  [[noreturn]] void fail(const std::string& what) const;
  // Counts one level of nesting while it lives.
  class Level {
   public:
    explicit Level(ExpressionParser& parser);
    ~Level() { --parser_.depth_; }

   private:
    ExpressionParser& parser_;
  };

 private:
  ExpressionPtr make(ExpressionKind kind, std::string name = {}) const;
  void add(Expression& node, ExpressionPtr part) const;
  ExpressionPtr joined(ExpressionKind kind, std::string name, ExpressionPtr left,
                       ExpressionPtr right) const;
  ExpressionPtr tuple_of(ExpressionPtr (ExpressionParser::*element)());
  ExpressionPtr logic_or();
  ExpressionPtr logic_and();
  ExpressionPtr negation();
  ExpressionPtr comparison();
  std::string comparison_operator();
  ExpressionPtr sum();
  ExpressionPtr concatenation();
  ExpressionPtr product();
  ExpressionPtr power();
  ExpressionPtr unary(bool with_filters);
  ExpressionPtr primary();
  ExpressionPtr named_primary();
  ExpressionPtr number();
  ExpressionPtr string();
  ExpressionPtr list();
  ExpressionPtr dict();
  ExpressionPtr postfix(ExpressionPtr node);
  ExpressionPtr subscript(ExpressionPtr node);
  ExpressionPtr filters_and_tests(ExpressionPtr node);
  ExpressionPtr test(ExpressionPtr node);
  void arguments(Expression& node);

  std::vector<Token> tokens_;
  std::string_view where_;
  size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace malssi::jinja
