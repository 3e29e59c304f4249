// The filters, tests, functions, methods and operators of the language.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/jinja/interpreter.h"

namespace malssi::jinja {

// One use of a builtin. args: one per parameter, undefined where none was given.
struct Call {
  Interpreter& interpreter;
  const Value& self;
  const std::vector<Value>& args;
  const Arguments& given;

  Heap& heap() const { return interpreter.heap(); }
  bool has(size_t i) const { return i < args.size() && !args[i].is_undefined(); }
  // Errors: an argument of another kind.
  Text text(size_t i, std::string_view fallback = "") const;
  int64_t integer(size_t i, int64_t fallback) const;
  bool flag(size_t i, std::string_view name = "") const;
};

struct Builtin {
  std::string_view name;
  std::string_view parameters;  // "first,second"; "*": any arguments, taken from `given`
  Value (*run)(const Call& call);
};

std::span<const Builtin> text_filters();
std::span<const Builtin> list_filters();
std::span<const Builtin> tests();
std::span<const Builtin> functions();
std::span<const Builtin> string_methods();
std::span<const Builtin> dict_methods();
std::span<const Builtin> list_methods();

const Builtin* find_filter(std::string_view name);
const Builtin* find_test(std::string_view name);
const Builtin* find_function(std::string_view name);
const Builtin* find_method(const Value& self, std::string_view name);
// Error: arguments that it does not take.
Value run_builtin(const Builtin& builtin, Interpreter& interpreter, const Value& self,
                  const Arguments& arguments);

// split() and replace() of text.h within the heap's limits.
std::vector<Text> pieces(Heap& heap, const Text& text, std::string_view separator, int64_t most,
                         Side from);
Value replaced(Heap& heap, const Text& text, std::string_view from, const Text& to, int64_t most);

Value binary(Heap& heap, std::string_view name, const Value& a, const Value& b);
Value negative(const Value& value);
bool contains(Heap& heap, const Value& container, const Value& item);
// Python's a[start:stop:step] as places in a sequence of `size`.
std::vector<int64_t> slice_places(int64_t size, const Value& start, const Value& stop,
                                  const Value& step);
double to_double(const Value& number);

}  // namespace malssi::jinja
