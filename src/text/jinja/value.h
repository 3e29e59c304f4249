// What a template computes with: Python's values, as far as templates know them. Lists, dicts and
// scopes live in a Heap until the rendering ends, so a value may hold another, or itself, without
// counting owners; the Heap also counts steps and bytes, and throws Error where a limit is passed.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "base/json.h"
#include "text/jinja/text.h"

namespace malssi::jinja {

struct List;
struct Dict;
struct Loop;
struct Macro;

struct Undefined {
  std::string name = {};  // of the variable or member that is not there, for messages
};
// The name's beginning, so that many values of a long name stay small.
Undefined undefined(std::string_view name);
struct None {};
struct Method {  // a method that is looked at, not called
  std::string name;
};
using TextRef = std::shared_ptr<const Text>;

struct Value : std::variant<Undefined, None, bool, int64_t, double, TextRef, List*, Dict*, Loop*,
                            Macro*, Method> {
  using variant::variant;

  template <class T>
  bool is() const {
    return std::holds_alternative<T>(*this);
  }
  template <class T>
  const T* as() const {
    return std::get_if<T>(this);
  }
  bool is_undefined() const { return is<Undefined>(); }
  bool is_number() const { return is<int64_t>() || is<double>() || is<bool>(); }
  const Text* text() const;  // null: not a string
};

struct List {
  std::vector<Value> items = {};
  bool is_tuple = false;
};

// In the order of insertion. Keys are strings, numbers, booleans and none.
struct Dict {
  std::vector<std::pair<Value, Value>> items = {};
  std::unordered_map<std::string, size_t> places = {};
  bool is_namespace = false;

  const Value* find(const Value& key) const;
  const Value* find(std::string_view key) const;
  bool set(const Value& key, Value value);  // true: the key is new
  void erase(const Value& key);
};

// `loop` inside {% for %}.
struct Loop {
  const std::vector<Value>* items = nullptr;
  int64_t index0 = 0;
};

struct Limits {
  int64_t steps = 1'000'000;
  int64_t output = 1 << 20;  // bytes
  // Bytes that all values of one rendering take together, about: the worst template found took 38 MB.
  int64_t memory = 40 << 20;
  int64_t calls = 64;  // macros inside macros

  // Bytes of one text: what is made of it on the way to other values stays within the memory, too.
  int64_t longest_text() const { return memory / 32; }
};
inline constexpr int kMaxValueDepth = 64;

class Heap {
 public:
  explicit Heap(const Limits& limits) : limits_(limits) {}
  const Limits& limits() const { return limits_; }

  void step(int64_t count = 1);
  void allocate(int64_t bytes);
  // Error: a text of so many bytes, perhaps not yet whole, is too long.
  void check_text(size_t bytes) const;
  Value text(Text text);
  List* list(std::vector<Value> items = {});
  List* tuple(std::vector<Value> items);
  Dict* dict();
  void append(List& list, Value value);
  void set(Dict& dict, const Value& key, Value value);
  // Marks every string inside except where a dict's member has the name `unmarked`.
  Value from_json(const Json& json, Mark mark, std::string_view unmarked = "", int depth = 0);

 private:
  Limits limits_;
  int64_t steps_ = 0, bytes_ = 0;
  std::deque<List> lists_;
  std::deque<Dict> dicts_;
};

// "a string", "undefined", ...: for messages.
std::string kind_of(const Value& value);
bool is_true(const Value& value);
bool equal(Heap& heap, const Value& a, const Value& b, int depth = 0);
// a < b. Error: they have no order.
bool less(Heap& heap, const Value& a, const Value& b, int depth = 0);
// As Python's str() and repr().
Text to_text(Heap& heap, const Value& value);
void append_repr(Heap& heap, const Value& value, Text& out, int depth = 0);
std::string float_text(double value);

struct JsonStyle {
  int64_t indent = -1;  // -1: one line
  bool ascii = false;
  bool sort_keys = false;
  std::string item_separator = ", ", key_separator = ": ";
};
// As Python's json.dumps. Error: a value that JSON does not have.
Text to_json(Heap& heap, const Value& value, const JsonStyle& style);

}  // namespace malssi::jinja
