// Runs a parsed template. Undefined names print as nothing, are false and empty, and are an Error
// as soon as a member of one is asked for. A template reaches nothing but its variables and the
// filters, tests, methods and functions listed in builtins.h.
#pragma once

#include <ctime>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "text/jinja/tree.h"
#include "text/jinja/value.h"

namespace malssi::jinja {

struct Scope {
  Scope* parent = nullptr;
  std::map<std::string, Value, std::less<>> variables = {};
};

struct Macro {
  std::string name;
  const std::vector<Parameter>* parameters = nullptr;
  const Body* body = nullptr;
  Scope* scope = nullptr;  // where it was written
};

struct Arguments {
  std::vector<Value> positional = {};
  std::vector<std::pair<std::string, Value>> named = {};
};

class Interpreter {
 public:
  Interpreter(Heap& heap, const std::tm& now) : heap_(heap), now_(now) {}

  void set(const std::string& name, Value value) { root_.variables[name] = std::move(value); }
  Text run(const Body& body);
  int line() const { return line_; }  // where an Error came from
  Heap& heap() { return heap_; }
  const std::tm& now() const { return now_; }

  // value.name and value[key]; undefined where it is not there.
  Value member(const Value& value, std::string_view name);
  Value item(const Value& value, const Value& key);
  // A copy of what a {% for %} would go through.
  std::vector<Value> items(const Value& value);
  Value call_macro(const Macro& macro, Arguments arguments, const Value& caller = {});

 private:
  enum class Flow { normal, stop, next };

  Flow execute(const Body& body);
  Flow execute(const Statement& statement);
  Flow loop(const Statement& statement);
  Flow with(const Statement& statement);
  void write(const Text& text);
  Text captured(const Body& body);
  void call_block(const Statement& statement);
  void filter_block(const Statement& statement);
  Macro* new_macro(const Statement& statement);
  void assign(const Target& target, Value value);
  void put(const std::string& name, Value value);  // into the innermost scope
  const Value* find(std::string_view name) const;

  Value evaluate(const Expression& node);
  Value lookup(const Expression& node);
  Value collection(const Expression& node);
  Value sliced(const Expression& node);
  Value call(const Expression& node, const Value& caller);
  Value logic(const Expression& node);
  Value comparison(const Expression& node);
  Value concatenation(const Expression& node);
  // block: the text of {% filter %}, which the innermost filter takes; else null.
  Value filtered(const Expression& node, const Value* block);
  Arguments arguments(const Expression& node);

  Heap& heap_;
  std::tm now_;
  Scope root_;
  Scope* scope_ = &root_;
  std::deque<Scope> scopes_;
  std::deque<Macro> macros_;
  std::deque<Loop> loops_;
  Text* out_ = nullptr;
  int line_ = 1;
  int64_t depth_ = 0, calls_ = 0;
};

}  // namespace malssi::jinja
