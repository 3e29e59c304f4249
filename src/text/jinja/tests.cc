// What stands after `is`.
#include "base/error.h"
#include "text/jinja/builtins.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace malssi::jinja {
namespace {

bool holds(const Call& call, bool (*compare)(Heap&, const Value&, const Value&)) {
  return compare(call.heap(), call.self, call.args.at(0));
}

Value divisible(const Call& call) {
  const int64_t by = call.integer(0, 0);
  const auto* value = call.self.as<int64_t>();
  REQUIRE(value && by != 0, "divisibleby expects integers, and no zero");
  return by == -1 || *value % by == 0;
}

Value is_odd(const Call& call) {
  const auto* value = call.self.as<int64_t>();
  return value && *value % 2 != 0;
}

// Whether some letter is there and no other case of it.
bool has_case(const Value& value, Case form) {
  const Text* text = value.text();
  if (!text || with_case(*text, form).bytes() != text->bytes()) return false;
  return with_case(*text, form == Case::upper ? Case::lower : Case::upper).bytes() != text->bytes();
}

Value is_sequence(const Call& call) {
  const Value& v = call.self;
  return v.text() || v.is<List*>() || v.is<Dict*>() || v.is_undefined();
}

constexpr Builtin kTests[] = {
    {"defined", "", [](const Call& c) -> Value { return !c.self.is_undefined(); }},
    {"undefined", "", [](const Call& c) -> Value { return c.self.is_undefined(); }},
    {"none", "", [](const Call& c) -> Value { return c.self.is<None>(); }},
    {"string", "", [](const Call& c) -> Value { return c.self.is<TextRef>(); }},
    {"mapping", "",
     [](const Call& c) -> Value {
       return c.self.is<Dict*>() && !(*c.self.as<Dict*>())->is_namespace;
     }},
    {"iterable", "", is_sequence},
    {"sequence", "", is_sequence},
    {"number", "", [](const Call& c) -> Value { return c.self.is_number(); }},
    {"integer", "", [](const Call& c) -> Value { return c.self.is<int64_t>(); }},
    {"float", "", [](const Call& c) -> Value { return c.self.is<double>(); }},
    {"boolean", "", [](const Call& c) -> Value { return c.self.is<bool>(); }},
    {"callable", "",
     [](const Call& c) -> Value { return c.self.is<Macro*>() || c.self.is<Method>(); }},
    {"true", "", [](const Call& c) -> Value { return c.self.is<bool>() && *c.self.as<bool>(); }},
    {"false", "", [](const Call& c) -> Value { return c.self.is<bool>() && !*c.self.as<bool>(); }},
    {"odd", "", is_odd},
    {"even", "",
     [](const Call& c) -> Value { return c.self.is<int64_t>() && *c.self.as<int64_t>() % 2 == 0; }},
    {"divisibleby", "num", divisible},
    {"in", "seq", [](const Call& c) -> Value { return contains(c.heap(), c.args.at(0), c.self); }},
    {"upper", "", [](const Call& c) -> Value { return has_case(c.self, Case::upper); }},
    {"lower", "", [](const Call& c) -> Value { return has_case(c.self, Case::lower); }},
    {"sameas", "other",
     [](const Call& c) -> Value {
       return c.self.index() == c.args.at(0).index() && equal(c.heap(), c.self, c.args[0]);
     }},
    {"eq", "other",
     [](const Call& c) -> Value {
       return holds(c, [](Heap& h, const Value& a, const Value& b) { return equal(h, a, b); });
     }},
    {"ne", "other",
     [](const Call& c) -> Value {
       return holds(c, [](Heap& h, const Value& a, const Value& b) { return !equal(h, a, b); });
     }},
    {"lt", "other",
     [](const Call& c) -> Value {
       return holds(c, [](Heap& h, const Value& a, const Value& b) { return less(h, a, b); });
     }},
    {"gt", "other",
     [](const Call& c) -> Value {
       return holds(c, [](Heap& h, const Value& a, const Value& b) { return less(h, b, a); });
     }},
    {"le", "other",
     [](const Call& c) -> Value {
       return holds(c, [](Heap& h, const Value& a, const Value& b) { return !less(h, b, a); });
     }},
    {"ge", "other",
     [](const Call& c) -> Value {
       return holds(c, [](Heap& h, const Value& a, const Value& b) { return !less(h, a, b); });
     }},
};

}  // namespace

std::span<const Builtin> tests() { return kTests; }

const Builtin* find_test(std::string_view name) {
  constexpr std::pair<std::string_view, std::string_view> kOther[] = {
      {"equalto", "eq"}, {"==", "eq"},          {"!=", "ne"}, {"<", "lt"}, {"lessthan", "lt"},
      {">", "gt"},       {"greaterthan", "gt"}, {"<=", "le"}, {">=", "ge"}};
  for (const auto& [other, known] : kOther)
    if (name == other) name = known;
  for (const Builtin& test : kTests)
    if (test.name == name) return &test;
  return nullptr;
}

}  // namespace malssi::jinja
