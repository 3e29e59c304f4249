#include "text/jinja/interpreter.h"

#include <algorithm>

#include "base/error.h"
#include "text/jinja/builtins.h"

namespace malssi::jinja {
namespace {

constexpr int64_t kMaxDepth = 2000;  // of expressions and statements being worked on

class Raised {
 public:
  Raised(int64_t& counter, int64_t most, std::string_view what) : counter_(counter) {
    if (++counter_ <= most) return;
    --counter_;
    throw Error(concat(what, " nested deeper than ", most, " levels"));
  }
  ~Raised() { --counter_; }

 private:
  int64_t& counter_;
};

// Sets a variable of the interpreter for as long as it lives.
template <class T>
class Scoped {
 public:
  Scoped(T& place, T value) : place_(place), before_(place) { place = value; }
  ~Scoped() { place_ = before_; }

 private:
  T& place_;
  T before_;
};

}  // namespace

Text Interpreter::run(const Body& body) { return captured(body); }

Text Interpreter::captured(const Body& body) {
  Text text;
  const Scoped out(out_, &text);
  execute(body);
  return text;
}

void Interpreter::write(const Text& text) {
  const auto size = static_cast<int64_t>(text.size());
  heap_.allocate(3 * size);
  out_->append(text);
  REQUIRE(static_cast<int64_t>(out_->size()) <= heap_.limits().output,
          "the template writes more than ", heap_.limits().output, " bytes");
}

Interpreter::Flow Interpreter::execute(const Body& body) {
  for (const Statement& statement : body)
    if (const Flow flow = execute(statement); flow != Flow::normal) return flow;
  return Flow::normal;
}

Interpreter::Flow Interpreter::execute(const Statement& statement) {
  const Raised depth(depth_, kMaxDepth, "statements");
  heap_.step();
  line_ = statement.line;
  switch (statement.kind) {
    case StatementKind::text:
      write(*statement.value.text());
      break;
    case StatementKind::output:
      write(to_text(heap_, evaluate(*statement.expression)));
      break;
    case StatementKind::branch:
      return execute(is_true(evaluate(*statement.expression)) ? statement.body
                                                              : statement.otherwise);
    case StatementKind::loop:
      return loop(statement);
    case StatementKind::set:
      assign(statement.target, evaluate(*statement.expression));
      break;
    case StatementKind::set_block: {
      Value text = heap_.text(captured(statement.body));
      if (statement.expression) text = filtered(*statement.expression, &text);
      assign(statement.target, text);
      break;
    }
    case StatementKind::macro:
      put(statement.name, new_macro(statement));
      break;
    case StatementKind::call:
      call_block(statement);
      break;
    case StatementKind::filter:
      filter_block(statement);
      break;
    case StatementKind::with:
      return with(statement);
    case StatementKind::generation: {
      Text text = captured(statement.body);
      text.add_mark(kGeneration);
      write(text);
      break;
    }
    case StatementKind::stop:
      return Flow::stop;
    case StatementKind::next:
      return Flow::next;
  }
  return Flow::normal;
}

Interpreter::Flow Interpreter::loop(const Statement& statement) {
  std::vector<Value> all = items(evaluate(*statement.expression));
  heap_.allocate(static_cast<int64_t>(all.size() * sizeof(Value)));
  const auto enter = [&](const Value& item) {
    heap_.allocate(sizeof(Scope));
    scope_ = &scopes_.emplace_back(Scope{.parent = scope_});
    assign(statement.target, item);
  };
  if (statement.condition) {
    std::vector<Value> kept;
    for (const Value& item : all) {
      const Scoped scope(scope_, scope_);
      enter(item);
      if (is_true(evaluate(*statement.condition))) kept.push_back(item);
    }
    all = std::move(kept);
  }
  if (all.empty()) return execute(statement.otherwise);
  Loop& state = loops_.emplace_back(Loop{.items = &all});
  for (const Value& item : all) {
    heap_.step();
    const Scoped scope(scope_, scope_);
    enter(item);
    scope_->variables["loop"] = &state;
    if (const Flow flow = execute(statement.body); flow == Flow::stop) break;
    ++state.index0;
  }
  state.items = nullptr;  // it may outlive the loop in a namespace
  return Flow::normal;
}

Interpreter::Flow Interpreter::with(const Statement& statement) {
  const Scoped scope(scope_, &scopes_.emplace_back(Scope{.parent = scope_}));
  heap_.allocate(sizeof(Scope));
  for (const Parameter& variable : statement.parameters)
    scope_->variables[variable.name] = evaluate(*variable.standard);
  return execute(statement.body);
}

Macro* Interpreter::new_macro(const Statement& statement) {
  heap_.allocate(sizeof(Macro));
  return &macros_.emplace_back(Macro{.name = statement.name,
                                     .parameters = &statement.parameters,
                                     .body = &statement.body,
                                     .scope = scope_});
}

void Interpreter::call_block(const Statement& statement) {
  const Value result = call(*statement.expression, new_macro(statement));
  write(to_text(heap_, result));
}

void Interpreter::filter_block(const Statement& statement) {
  const Value text = heap_.text(captured(statement.body));
  write(to_text(heap_, filtered(*statement.expression, &text)));
}

Value Interpreter::call_macro(const Macro& macro, Arguments arguments, const Value& caller) {
  const Raised depth(calls_, heap_.limits().calls, "macro calls");
  heap_.allocate(sizeof(Scope));
  const Scoped scope(scope_, &scopes_.emplace_back(Scope{.parent = macro.scope}));
  const std::vector<Parameter>& parameters = *macro.parameters;
  if (!caller.is_undefined()) put("caller", caller);
  for (size_t i = 0; i < parameters.size(); ++i) {
    const std::string& name = parameters[i].name;
    const auto named = std::find_if(arguments.named.begin(), arguments.named.end(),
                                    [&](const auto& given) { return given.first == name; });
    if (i < arguments.positional.size()) {
      put(name, arguments.positional[i]);
    } else if (named != arguments.named.end()) {
      put(name, named->second);
      arguments.named.erase(named);
    } else {
      put(name,
          parameters[i].standard ? evaluate(*parameters[i].standard) : Value(undefined(name)));
    }
  }
  const auto taken =
      static_cast<std::ptrdiff_t>(std::min(parameters.size(), arguments.positional.size()));
  put("varargs", heap_.tuple({arguments.positional.begin() + taken, arguments.positional.end()}));
  Dict* rest = heap_.dict();
  for (auto& [name, value] : arguments.named) heap_.set(*rest, heap_.text(Text(name)), value);
  put("kwargs", rest);
  return heap_.text(captured(*macro.body));
}

void Interpreter::put(const std::string& name, Value value) {
  if (scope_->variables.insert_or_assign(name, std::move(value)).second)
    heap_.allocate(static_cast<int64_t>(4 * sizeof(Value) + name.size()));
}

void Interpreter::assign(const Target& target, Value value) {
  if (target.unpacks) {
    const std::vector<Value> parts = items(value);
    REQUIRE(parts.size() == target.names.size(), "cannot unpack ", parts.size(), " values into ",
            target.names.size(), " variables");
    for (size_t i = 0; i < parts.size(); ++i) put(target.names[i], parts[i]);
    return;
  }
  const std::string& name = target.names.front();
  if (target.member.empty()) {
    put(name, std::move(value));
    return;
  }
  const Value* space = find(name);
  REQUIRE(space && space->is<Dict*>() && (*space->as<Dict*>())->is_namespace, "'", name,
          "' is no namespace: its member '", target.member, "' cannot be set");
  heap_.set(**space->as<Dict*>(), heap_.text(Text(target.member)), std::move(value));
}

const Value* Interpreter::find(std::string_view name) const {
  for (const Scope* scope = scope_; scope; scope = scope->parent)
    if (const auto found = scope->variables.find(name); found != scope->variables.end())
      return &found->second;
  return nullptr;
}

Value Interpreter::evaluate(const Expression& node) {
  const Raised depth(depth_, kMaxDepth, "expressions");
  heap_.step();
  line_ = node.line;
  switch (node.kind) {
    case ExpressionKind::constant:
      return node.value;
    case ExpressionKind::name:
      return lookup(node);
    case ExpressionKind::list:
    case ExpressionKind::tuple:
    case ExpressionKind::dict:
      return collection(node);
    case ExpressionKind::member:
      return member(evaluate(*node.parts[0]), node.name);
    case ExpressionKind::item: {
      const Value base = evaluate(*node.parts[0]);
      return item(base, evaluate(*node.parts[1]));
    }
    case ExpressionKind::slice:
      return sliced(node);
    case ExpressionKind::call:
      return call(node, {});
    case ExpressionKind::filter:
      return filtered(node, nullptr);
    case ExpressionKind::test: {
      const Builtin* test = find_test(node.name);
      REQUIRE(test, "there is no test '", node.name, "'");
      const Value value = evaluate(*node.parts[0]);
      return run_builtin(*test, *this, value, arguments(node));
    }
    case ExpressionKind::unary: {
      const Value value = evaluate(*node.parts[0]);
      if (node.name == "not") return !is_true(value);
      return node.name == "-" ? negative(value) : negative(negative(value));
    }
    case ExpressionKind::binary: {
      const Value left = evaluate(*node.parts[0]);
      return binary(heap_, node.name, left, evaluate(*node.parts[1]));
    }
    case ExpressionKind::logic:
      return logic(node);
    case ExpressionKind::compare:
      return comparison(node);
    case ExpressionKind::concat:
      return concatenation(node);
    case ExpressionKind::conditional:
      if (is_true(evaluate(*node.parts[1]))) return evaluate(*node.parts[0]);
      return node.parts[2] ? evaluate(*node.parts[2]) : Value();
  }
  CHECK(false, "unknown expression");
}

Value Interpreter::lookup(const Expression& node) {
  if (const Value* value = find(node.name)) return *value;
  if (find_function(node.name)) return Method{node.name};
  return undefined(node.name);
}

Value Interpreter::logic(const Expression& node) {
  Value left = evaluate(*node.parts[0]);
  return is_true(left) == (node.name == "or") ? left : evaluate(*node.parts[1]);
}

Value Interpreter::collection(const Expression& node) {
  if (node.kind == ExpressionKind::dict) {
    Dict* made = heap_.dict();
    for (size_t i = 0; i < node.parts.size(); i += 2) {
      const Value key = evaluate(*node.parts[i]);
      heap_.set(*made, key, evaluate(*node.parts[i + 1]));
    }
    return made;
  }
  std::vector<Value> values;
  for (const ExpressionPtr& part : node.parts) values.push_back(evaluate(*part));
  return node.kind == ExpressionKind::tuple ? heap_.tuple(std::move(values))
                                            : heap_.list(std::move(values));
}

Value Interpreter::sliced(const Expression& node) {
  const Value base = evaluate(*node.parts[0]);
  Value bounds[3] = {};
  for (size_t i = 0; i < 3; ++i)
    if (node.parts[i + 1]) bounds[i] = evaluate(*node.parts[i + 1]);
  if (const Text* text = base.text()) {
    const std::vector<size_t> starts = character_starts(text->bytes());
    heap_.allocate(static_cast<int64_t>(starts.size() * sizeof(size_t)));
    Text out;
    for (const int64_t place :
         slice_places(static_cast<int64_t>(starts.size()) - 1, bounds[0], bounds[1], bounds[2])) {
      const auto at = static_cast<size_t>(place);
      out.append(*text, starts[at], starts[at + 1] - starts[at]);
    }
    return heap_.text(std::move(out));
  }
  REQUIRE(base.is<List*>(), "a slice of ", kind_of(base));
  const List& list = **base.as<List*>();
  std::vector<Value> out;
  for (const int64_t place :
       slice_places(static_cast<int64_t>(list.items.size()), bounds[0], bounds[1], bounds[2]))
    out.push_back(list.items[static_cast<size_t>(place)]);
  return list.is_tuple ? heap_.tuple(std::move(out)) : heap_.list(std::move(out));
}

Value Interpreter::comparison(const Expression& node) {
  Value left = evaluate(*node.parts[0]);
  for (size_t i = 0; i < node.names.size(); ++i) {
    const Value right = evaluate(*node.parts[i + 1]);
    const std::string& name = node.names[i];
    const bool holds = name == "=="       ? equal(heap_, left, right)
                       : name == "!="     ? !equal(heap_, left, right)
                       : name == "in"     ? contains(heap_, right, left)
                       : name == "not in" ? !contains(heap_, right, left)
                       : name == "<"      ? less(heap_, left, right)
                       : name == ">"      ? less(heap_, right, left)
                       : name == "<="     ? !less(heap_, right, left)
                                          : !less(heap_, left, right);
    if (!holds) return false;
    left = right;
  }
  return true;
}

Value Interpreter::concatenation(const Expression& node) {
  Text out;
  for (const ExpressionPtr& part : node.parts) {
    out.append(to_text(heap_, evaluate(*part)));
    heap_.check_text(out.size());
  }
  return heap_.text(std::move(out));
}

Value Interpreter::filtered(const Expression& node, const Value* block) {
  const Value value = !node.parts[0] ? *block
                      : block        ? filtered(*node.parts[0], block)
                                     : evaluate(*node.parts[0]);
  const Builtin* filter = find_filter(node.name);
  REQUIRE(filter, "there is no filter '", node.name, "'");
  line_ = node.line;
  return run_builtin(*filter, *this, value, arguments(node));
}

Arguments Interpreter::arguments(const Expression& node) {
  Arguments out;
  for (size_t i = 1; i < node.parts.size(); ++i) out.positional.push_back(evaluate(*node.parts[i]));
  for (const auto& [name, part] : node.named) out.named.emplace_back(name, evaluate(*part));
  return out;
}

Value Interpreter::call(const Expression& node, const Value& caller) {
  const Expression& callee = *node.parts[0];
  if (callee.kind == ExpressionKind::member) {
    const Value self = evaluate(*callee.parts[0]);
    const Builtin* method = find_method(self, callee.name);
    if (method) {
      const Arguments given = arguments(node);
      line_ = node.line;
      return run_builtin(*method, *this, self, given);
    }
    const Value value = member(self, callee.name);
    REQUIRE(value.is<Macro*>(), kind_of(self), " has no method '", callee.name, "'");
    return call_macro(**value.as<Macro*>(), arguments(node), caller);
  }
  const Value value = evaluate(callee);
  if (value.is<Macro*>()) return call_macro(**value.as<Macro*>(), arguments(node), caller);
  const Builtin* function = value.is<Method>() ? find_function(value.as<Method>()->name) : nullptr;
  REQUIRE(function, kind_of(value), " cannot be called");
  return run_builtin(*function, *this, Value(), arguments(node));
}

}  // namespace malssi::jinja
