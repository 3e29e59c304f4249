// Filters on sequences and dicts.
#include <algorithm>
#include <charconv>

#include "base/error.h"
#include "text/jinja/builtins.h"

namespace malssi::jinja {
namespace {

std::vector<Value> items(const Call& call) { return call.interpreter.items(call.self); }
Value made(const Call& call, std::vector<Value> values) {
  return call.heap().list(std::move(values));
}

// map, select and reject take anything false for an empty list.
std::vector<Value> items_or_none(const Call& call) {
  return is_true(call.self) ? items(call) : std::vector<Value>();
}

// A member of a member, as "function.name" or "0" names it.
Value attribute(const Call& call, const Value& value, const Value& path) {
  if (!path.text()) return call.interpreter.item(value, path);
  Value found = value;
  for (const Text& name : pieces(call.heap(), *path.text(), ".", -1, Side::left)) {
    int64_t place = 0;
    const std::string_view bytes = name.bytes();
    const auto read = std::from_chars(bytes.data(), bytes.data() + bytes.size(), place);
    const bool number = read.ec == std::errc() && read.ptr == bytes.data() + bytes.size();
    found = call.interpreter.item(found, number ? Value(place) : call.heap().text(name));
  }
  return found;
}

// What sorting and comparing look at: the attribute if one is named, small letters unless case
// counts.
Value sort_key(const Call& call, const Value& value, size_t case_argument,
               size_t attribute_argument) {
  Value key =
      call.has(attribute_argument) ? attribute(call, value, call.args[attribute_argument]) : value;
  if (key.text() && !call.flag(case_argument))
    key = call.heap().text(with_case(*key.text(), Case::lower));
  return key;
}

Value join(const Call& call) {
  const Text separator = call.has(0) ? to_text(call.heap(), call.args[0]) : Text();
  Text out;
  bool first = true;
  for (const Value& item : items(call)) {
    if (!first) out.append(separator);
    first = false;
    call.heap().allocate(static_cast<int64_t>(separator.size()));
    out.append(to_text(call.heap(), call.has(1) ? attribute(call, item, call.args[1]) : item));
    call.heap().step();
    call.heap().check_text(out.size());
  }
  return call.heap().text(std::move(out));
}

Value length(const Call& call) {
  const Value& self = call.self;
  if (const Text* text = self.text()) return characters(text->bytes());
  if (const auto* list = self.as<List*>()) return static_cast<int64_t>((*list)->items.size());
  if (const auto* dict = self.as<Dict*>()) return static_cast<int64_t>((*dict)->items.size());
  REQUIRE(self.is_undefined(), kind_of(self), " has no length");
  return int64_t{0};
}

Value first(const Call& call) {
  const std::vector<Value> all = items(call);
  return all.empty() ? Value() : all.front();
}

Value last(const Call& call) {
  const std::vector<Value> all = items(call);
  return all.empty() ? Value() : all.back();
}

Value reverse(const Call& call) {
  std::vector<Value> all = items(call);
  std::reverse(all.begin(), all.end());
  if (!call.self.text()) return made(call, std::move(all));
  Text out;
  for (const Value& item : all) out.append(*item.text());
  return call.heap().text(std::move(out));
}

Value pairs(const Call& call) {
  std::vector<Value> out;
  if (call.self.is_undefined()) return made(call, {});
  const auto* dict = call.self.as<Dict*>();
  REQUIRE(dict, "items of ", kind_of(call.self), ", expected a dict");
  for (const auto& [key, value] : (*dict)->items) out.push_back(call.heap().tuple({key, value}));
  return made(call, std::move(out));
}

void sort(const Call& call, std::vector<std::pair<Value, Value>>& keyed, bool falls) {
  std::stable_sort(keyed.begin(), keyed.end(), [&](const auto& a, const auto& b) {
    return falls ? less(call.heap(), b.first, a.first) : less(call.heap(), a.first, b.first);
  });
}

Value dictsort(const Call& call) {
  const Text by = call.text(1, "key");
  REQUIRE(by.bytes() == "key" || by.bytes() == "value", "dictsort: by is '", by.bytes(),
          "', expected key or value");
  const auto* dict = call.self.as<Dict*>();
  REQUIRE(dict, "dictsort of ", kind_of(call.self), ", expected a dict");
  std::vector<std::pair<Value, Value>> keyed;
  for (const auto& [key, value] : (*dict)->items)
    keyed.emplace_back(sort_key(call, by.bytes() == "key" ? key : value, 0, 99),
                       call.heap().tuple({key, value}));
  sort(call, keyed, call.flag(2));
  std::vector<Value> out;
  for (auto& [key, pair] : keyed) out.push_back(pair);
  return made(call, std::move(out));
}

Value sorted(const Call& call) {
  std::vector<std::pair<Value, Value>> keyed;
  for (const Value& item : items(call)) keyed.emplace_back(sort_key(call, item, 1, 2), item);
  sort(call, keyed, call.flag(0));
  std::vector<Value> out;
  for (auto& [key, item] : keyed) out.push_back(item);
  return made(call, std::move(out));
}

Value unique(const Call& call) {
  std::vector<Value> keys, out;
  for (const Value& item : items(call)) {
    const Value key = sort_key(call, item, 0, 1);
    const auto same = [&](const Value& other) { return equal(call.heap(), key, other); };
    if (std::any_of(keys.begin(), keys.end(), same)) continue;
    keys.push_back(key);
    out.push_back(item);
  }
  return made(call, std::move(out));
}

// The item whose key none goes before.
Value extreme(const Call& call, bool most) {
  Value best, best_key;
  bool found = false;
  for (const Value& item : items(call)) {
    const Value key = sort_key(call, item, 0, 1);
    const bool better =
        !found || (most ? less(call.heap(), best_key, key) : less(call.heap(), key, best_key));
    if (!better) continue;
    found = true;
    best = item;
    best_key = key;
  }
  return best;
}

Value sum(const Call& call) {
  Value total = call.has(1) ? call.args[1] : Value(int64_t{0});
  for (const Value& item : items(call))
    total =
        binary(call.heap(), "+", total, call.has(0) ? attribute(call, item, call.args[0]) : item);
  return total;
}

Value map(const Call& call) {
  std::vector<Value> out;
  const Value* path = nullptr;
  const Value* standard = nullptr;
  Arguments rest;
  for (const auto& [name, value] : call.given.named) {
    if (name == "attribute")
      path = &value;
    else if (name == "default")
      standard = &value;
    else
      rest.named.emplace_back(name, value);
  }
  if (path) {
    for (const Value& item : items_or_none(call)) {
      Value found = attribute(call, item, *path);
      out.push_back(found.is_undefined() && standard ? *standard : std::move(found));
    }
    return made(call, std::move(out));
  }
  REQUIRE(!call.args.empty() && call.args[0].text(),
          "map expects the name of a filter, or attribute=");
  const Builtin* filter = find_filter(call.args[0].text()->bytes());
  REQUIRE(filter, "there is no filter '", call.args[0].text()->bytes(), "'");
  rest.positional.assign(call.args.begin() + 1, call.args.end());
  for (const Value& item : items_or_none(call)) {
    call.heap().step();
    out.push_back(run_builtin(*filter, call.interpreter, item, rest));
  }
  return made(call, std::move(out));
}

// Items whose value, or whose attribute named first, passes (or fails) a test; without a test's
// name: is true.
Value chosen(const Call& call, bool by_attribute, bool wanted) {
  const size_t skip = by_attribute ? 1 : 0;
  REQUIRE(call.args.size() >= skip, "expected the name of an attribute");
  const Builtin* test = nullptr;
  Arguments rest;
  if (call.args.size() > skip) {
    const Text* name = call.args[skip].text();
    test = name ? find_test(name->bytes()) : nullptr;
    REQUIRE(test, "there is no test '", name ? name->bytes() : kind_of(call.args[skip]), "'");
    rest.positional.assign(call.args.begin() + static_cast<std::ptrdiff_t>(skip) + 1,
                           call.args.end());
  }
  std::vector<Value> out;
  for (const Value& item : items_or_none(call)) {
    call.heap().step();
    const Value value = by_attribute ? attribute(call, item, call.args[0]) : item;
    const Value result = test ? run_builtin(*test, call.interpreter, value, rest) : value;
    if (is_true(result) == wanted) out.push_back(item);
  }
  return made(call, std::move(out));
}

constexpr Builtin kFilters[] = {
    {"attr", "name", [](const Call& c) { return attribute(c, c.self, c.args.at(0)); }},
    {"count", "", length},
    {"dictsort", "case_sensitive,by,reverse", dictsort},
    {"first", "", first},
    {"items", "", pairs},
    {"join", "d,attribute", join},
    {"last", "", last},
    {"length", "", length},
    {"list", "", [](const Call& c) { return made(c, items(c)); }},
    {"map", "*", map},
    {"max", "case_sensitive,attribute", [](const Call& c) { return extreme(c, true); }},
    {"min", "case_sensitive,attribute", [](const Call& c) { return extreme(c, false); }},
    {"reject", "*", [](const Call& c) { return chosen(c, false, false); }},
    {"rejectattr", "*", [](const Call& c) { return chosen(c, true, false); }},
    {"reverse", "", reverse},
    {"select", "*", [](const Call& c) { return chosen(c, false, true); }},
    {"selectattr", "*", [](const Call& c) { return chosen(c, true, true); }},
    {"sort", "reverse,case_sensitive,attribute", sorted},
    {"sum", "attribute,start", sum},
    {"unique", "case_sensitive,attribute", unique},
};

}  // namespace

std::span<const Builtin> list_filters() { return kFilters; }

}  // namespace malssi::jinja
