// Methods of lists and dicts.
#include <algorithm>

#include "base/error.h"
#include "text/jinja/builtins.h"

namespace malssi::jinja {
namespace {

Dict& dict(const Call& call) { return **call.self.as<Dict*>(); }
List& list(const Call& call) { return **call.self.as<List*>(); }

Value get(const Call& call) {
  if (const Value* found = dict(call).find(call.args.at(0))) return *found;
  return call.has(1) ? call.args[1] : Value(None{});
}

// Keys, values or both.
Value members(const Call& call, bool keys, bool values) {
  List* out = call.heap().list();
  for (const auto& [key, value] : dict(call).items) {
    call.heap().step();
    call.heap().append(*out, !values ? key : !keys ? value : call.heap().tuple({key, value}));
  }
  return out;
}

Value take(const Call& call) {
  const Value* found = dict(call).find(call.args.at(0));
  REQUIRE(found || call.has(1), "pop: the dict has no such key");
  const Value value = found ? *found : call.args[1];
  call.heap().step(static_cast<int64_t>(dict(call).items.size()));
  dict(call).erase(call.args[0]);
  return value;
}

Value update(const Call& call) {
  for (const Value& other : call.args) {
    REQUIRE(other.is<Dict*>(), "update with ", kind_of(other), ", expected a dict");
    const auto members = (*other.as<Dict*>())->items;  // a copy: it may be the same dict
    for (const auto& [key, value] : members) {
      call.heap().step();
      call.heap().set(dict(call), key, value);
    }
  }
  for (const auto& [name, value] : call.given.named)
    call.heap().set(dict(call), call.heap().text(Text(name)), value);
  return None{};
}

Value set_default(const Call& call) {
  if (const Value* found = dict(call).find(call.args.at(0))) return *found;
  const Value value = call.has(1) ? call.args[1] : Value(None{});
  call.heap().set(dict(call), call.args[0], value);
  return value;
}

Value copy(const Call& call) {
  Dict* out = call.heap().dict();
  for (const auto& [key, value] : dict(call).items) call.heap().set(*out, key, value);
  return out;
}

void check_list(const Call& call) { REQUIRE(!list(call).is_tuple, "a tuple cannot be changed"); }

Value append(const Call& call) {
  check_list(call);
  call.heap().append(list(call), call.args.at(0));
  return None{};
}

Value extend(const Call& call) {
  check_list(call);
  for (Value& item : call.interpreter.items(call.args.at(0)))
    call.heap().append(list(call), std::move(item));
  return None{};
}

// The place that an index means; `end` for one past the last.
std::ptrdiff_t place(const Call& call, int64_t index, int64_t end) {
  const auto size = static_cast<int64_t>(list(call).items.size());
  if (index < 0) index += size;
  REQUIRE(index >= 0 && index < end, "the list has no place ", index);
  return static_cast<std::ptrdiff_t>(index);
}

Value insert(const Call& call) {
  check_list(call);
  auto& items = list(call).items;
  const auto size = static_cast<int64_t>(items.size());
  call.heap().step(size);
  call.heap().allocate(sizeof(Value));
  items.insert(items.begin() + place(call, call.integer(0, 0), size + 1), call.args.at(1));
  return None{};
}

Value take_item(const Call& call) {
  check_list(call);
  auto& items = list(call).items;
  const auto size = static_cast<int64_t>(items.size());
  call.heap().step(size);
  const auto at = items.begin() + place(call, call.integer(0, -1), size);
  Value value = *at;
  items.erase(at);
  return value;
}

Value index(const Call& call) {
  const auto& items = list(call).items;
  for (size_t i = 0; i < items.size(); ++i)
    if (equal(call.heap(), items[i], call.args.at(0))) return static_cast<int64_t>(i);
  throw Error("index: the list has no such item");
}

Value count(const Call& call) {
  int64_t found = 0;
  for (const Value& item : list(call).items) found += equal(call.heap(), item, call.args.at(0));
  return found;
}

constexpr Builtin kDictMethods[] = {
    {"copy", "", copy},
    {"get", "key,default", get},
    {"items", "", [](const Call& c) { return members(c, true, true); }},
    {"keys", "", [](const Call& c) { return members(c, true, false); }},
    {"pop", "key,default", take},
    {"setdefault", "key,default", set_default},
    {"update", "*", update},
    {"values", "", [](const Call& c) { return members(c, false, true); }},
};

constexpr Builtin kListMethods[] = {
    {"append", "object", append},       {"count", "value", count},
    {"extend", "iterable", extend},     {"index", "value", index},
    {"insert", "index,object", insert}, {"pop", "index", take_item},
};

}  // namespace

std::span<const Builtin> dict_methods() { return kDictMethods; }
std::span<const Builtin> list_methods() { return kListMethods; }

}  // namespace malssi::jinja
