// Statements: what stands between {% and %}, and the text around.
#include <algorithm>
#include <initializer_list>

#include "base/error.h"
#include "text/jinja/expression_parser.h"
#include "text/jinja/tree.h"

namespace malssi::jinja {
namespace {

class Parser {
 public:
  Parser(std::string_view source, std::string_view where)
      : expressions_(tokenize(source, where), where) {}

  Body run() {
    Body body = this->body({});
    if (peek().kind != TokenKind::end)
      expressions_.fail(concat("unexpected {% ", peek(1).text, " %}"));
    return body;
  }

 private:
  const Token& peek(size_t ahead = 0) const { return expressions_.peek(ahead); }

  // Up to, not including, a block that begins with one of the names.
  Body body(std::initializer_list<std::string_view> ends) {
    const ExpressionParser::Level level(expressions_);
    Body out;
    while (peek().kind != TokenKind::end) {
      if (peek().kind == TokenKind::block_begin) {
        if (std::any_of(ends.begin(), ends.end(),
                        [&](std::string_view end) { return expressions_.at_name(end, 1); }))
          return out;
        if (peek(1).kind == TokenKind::name && is_closing(peek(1).text)) break;
        expressions_.take();
        out.push_back(block());
      } else if (peek().kind == TokenKind::output_begin) {
        out.push_back(make(StatementKind::output));
        expressions_.take();
        out.back().expression = expressions_.tuple();
        end_of(TokenKind::output_end);
      } else {
        out.push_back(make(StatementKind::text));
        out.back().value = std::make_shared<const Text>(expressions_.take().text);
      }
    }
    if (ends.size() > 0) {
      if (peek().kind == TokenKind::block_begin)
        expressions_.fail(
            concat("unexpected {% ", peek(1).text, " %}, expected {% ", *(ends.end() - 1), " %}"));
      expressions_.fail(concat("the template ends before {% ", *(ends.end() - 1), " %}"));
    }
    return out;
  }

  static bool is_closing(std::string_view name) {
    return name.starts_with("end") || name == "else" || name == "elif";
  }

  Statement make(StatementKind kind) const {
    Statement statement;
    statement.kind = kind;
    statement.line = peek().line;
    return statement;
  }

  void end_of(TokenKind kind) {
    if (peek().kind != kind)
      expressions_.fail(concat("expected the end of the tag, found '", peek().text, "'"));
    expressions_.take();
  }
  void end_tag() { end_of(TokenKind::block_end); }

  Body body_to(std::string_view end) {
    end_tag();
    Body out = body({end});
    close(end);
    return out;
  }
  void close(std::string_view end) {
    expressions_.take();
    expressions_.take();
    if (end == "endmacro" || end == "endblock")
      if (peek().kind == TokenKind::name) expressions_.take();  // the name may be repeated
    end_tag();
  }

  Statement block() {
    const std::string name = expressions_.expect_name("a statement");
    if (name == "if") return branch();
    if (name == "for") return loop();
    if (name == "set") return set();
    if (name == "macro") return macro();
    if (name == "call") return call();
    if (name == "filter") return filter();
    if (name == "with") return with();
    if (name == "generation") return generation();
    if (name == "break" || name == "continue") {
      Statement statement = make(name == "break" ? StatementKind::stop : StatementKind::next);
      end_tag();
      return statement;
    }
    expressions_.fail(concat("{% ", name, " %} is not supported in chat templates"));
  }

  Statement branch() {
    const ExpressionParser::Level level(expressions_);
    Statement statement = make(StatementKind::branch);
    statement.expression = expressions_.tuple();
    end_tag();
    statement.body = body({"elif", "else", "endif"});
    expressions_.take();
    if (expressions_.take_name("elif")) {
      statement.otherwise.push_back(branch());
    } else if (expressions_.take_name("else")) {
      statement.otherwise = body_to("endif");
    } else {
      expressions_.take();
      end_tag();
    }
    return statement;
  }

  Target target() {
    Target out;
    const bool bracket = expressions_.take_symbol("(");
    do {
      if (out.unpacks && peek().kind != TokenKind::name) break;
      out.names.push_back(expressions_.expect_name("a variable"));
      if (!out.unpacks && expressions_.take_symbol(".")) {
        out.member = expressions_.expect_name("a member");
        break;
      }
      out.unpacks = expressions_.at_symbol(",") || out.unpacks;
    } while (expressions_.take_symbol(","));
    if (bracket) expressions_.expect_symbol(")");
    return out;
  }

  Statement loop() {
    Statement statement = make(StatementKind::loop);
    statement.target = target();
    if (!expressions_.take_name("in")) expressions_.fail("expected 'in' in {% for %}");
    statement.expression = expressions_.tuple_without_condition();
    if (expressions_.take_name("if")) statement.condition = expressions_.expression();
    if (expressions_.at_name("recursive"))
      expressions_.fail("{% for %} recursive is not supported");
    end_tag();
    statement.body = body({"else", "endfor"});
    if (expressions_.at_name("else", 1)) {
      expressions_.take();
      expressions_.take();
      statement.otherwise = body_to("endfor");
    } else {
      close("endfor");
    }
    return statement;
  }

  Statement set() {
    Statement statement = make(StatementKind::set);
    statement.target = target();
    if (expressions_.take_symbol("=")) {
      statement.expression = expressions_.tuple();
      end_tag();
      return statement;
    }
    statement.kind = StatementKind::set_block;
    if (expressions_.take_symbol("|")) statement.expression = expressions_.filters(nullptr);
    statement.body = body_to("endset");
    return statement;
  }

  std::vector<Parameter> parameters() {
    std::vector<Parameter> out;
    for (expressions_.expect_symbol("("); !expressions_.at_symbol(")");) {
      out.push_back({.name = expressions_.expect_name("a parameter")});
      if (expressions_.take_symbol("=")) out.back().standard = expressions_.expression();
      if (!expressions_.at_symbol(")")) expressions_.expect_symbol(",");
    }
    expressions_.expect_symbol(")");
    return out;
  }

  Statement macro() {
    Statement statement = make(StatementKind::macro);
    statement.name = expressions_.expect_name("the macro's name");
    statement.parameters = parameters();
    statement.body = body_to("endmacro");
    return statement;
  }

  Statement call() {
    Statement statement = make(StatementKind::call);
    if (expressions_.at_symbol("(")) statement.parameters = parameters();
    statement.expression = expressions_.expression();
    if (statement.expression->kind != ExpressionKind::call)
      expressions_.fail("{% call %} expects the call of a macro");
    statement.body = body_to("endcall");
    return statement;
  }

  Statement filter() {
    Statement statement = make(StatementKind::filter);
    statement.expression = expressions_.filters(nullptr);
    statement.body = body_to("endfilter");
    return statement;
  }

  Statement with() {
    Statement statement = make(StatementKind::with);
    while (peek().kind == TokenKind::name) {
      statement.parameters.push_back({.name = expressions_.take().text});
      expressions_.expect_symbol("=");
      statement.parameters.back().standard = expressions_.expression();
      if (!expressions_.take_symbol(",")) break;
    }
    statement.body = body_to("endwith");
    return statement;
  }

  Statement generation() {
    Statement statement = make(StatementKind::generation);
    statement.body = body_to("endgeneration");
    return statement;
  }

  ExpressionParser expressions_;
};

}  // namespace

Body parse(std::string_view source, std::string_view where) { return Parser(source, where).run(); }

}  // namespace malssi::jinja
