#include "text/jinja/value.h"

#include <cmath>

#include "base/error.h"

namespace malssi::jinja {
namespace {

// One text for all keys that Python holds equal: 1, 1.0 and true are one key.
std::string key_text(const Value& key) {
  if (const Text* text = key.text()) return "s" + std::string(text->bytes());
  if (const auto* b = key.as<bool>()) return *b ? "i1" : "i0";
  if (const auto* i = key.as<int64_t>()) return "i" + std::to_string(*i);
  if (const auto* d = key.as<double>()) {
    if (std::floor(*d) == *d && std::abs(*d) < 1e15)
      return "i" + std::to_string(static_cast<int64_t>(*d));
    return "f" + float_text(*d);
  }
  REQUIRE(key.is<None>(), kind_of(key), " cannot be the key of a dict");
  return "n";
}

double number(const Value& value) {
  if (const auto* b = value.as<bool>()) return *b;
  if (const auto* i = value.as<int64_t>()) return static_cast<double>(*i);
  return *value.as<double>();
}

}  // namespace

const Text* Value::text() const {
  const TextRef* ref = as<TextRef>();
  return ref ? ref->get() : nullptr;
}

const Value* Dict::find(const Value& key) const {
  const auto found = places.find(key_text(key));
  return found == places.end() ? nullptr : &items[found->second].second;
}

const Value* Dict::find(std::string_view key) const {
  const auto found = places.find("s" + std::string(key));
  return found == places.end() ? nullptr : &items[found->second].second;
}

bool Dict::set(const Value& key, Value value) {
  const auto [place, added] = places.emplace(key_text(key), items.size());
  if (added)
    items.emplace_back(key, std::move(value));
  else
    items[place->second].second = std::move(value);
  return added;
}

void Dict::erase(const Value& key) {
  const auto found = places.find(key_text(key));
  if (found == places.end()) return;
  const size_t at = found->second;
  items.erase(items.begin() + static_cast<std::ptrdiff_t>(at));
  places.erase(found);
  for (auto& [name, place] : places) place -= place > at;
}

void Heap::step(int64_t count) {
  steps_ += count;
  REQUIRE(steps_ <= limits_.steps, "the template takes more than ", limits_.steps, " steps");
}

void Heap::allocate(int64_t bytes) {
  bytes_ += bytes;
  REQUIRE(bytes_ <= limits_.memory, "the template takes more than ", limits_.memory,
          " bytes of memory");
}

void Heap::check_text(size_t bytes) const {
  REQUIRE(static_cast<int64_t>(bytes) <= limits_.longest_text(), "a text takes more than ",
          limits_.longest_text(), " bytes of memory");
}

Value Heap::text(Text text) {
  check_text(text.size());
  allocate(static_cast<int64_t>(3 * sizeof(Text) + 3 * text.size()));
  return std::make_shared<const Text>(std::move(text));
}

List* Heap::list(std::vector<Value> items) {
  allocate(static_cast<int64_t>(sizeof(List) + items.size() * sizeof(Value)));
  return &lists_.emplace_back(List{.items = std::move(items)});
}

List* Heap::tuple(std::vector<Value> items) {
  List* made = list(std::move(items));
  made->is_tuple = true;
  return made;
}

Dict* Heap::dict() {
  allocate(sizeof(Dict));
  return &dicts_.emplace_back();
}

void Heap::append(List& list, Value value) {
  allocate(3 * sizeof(Value));
  list.items.push_back(std::move(value));
}

void Heap::set(Dict& dict, const Value& key, Value value) {
  const auto size = key.text() ? static_cast<int64_t>(key.text()->size()) : 0;
  if (dict.set(key, std::move(value))) allocate(8 * static_cast<int64_t>(sizeof(Value)) + 2 * size);
}

Value Heap::from_json(const Json& json, Mark mark, std::string_view unmarked, int depth) {
  REQUIRE(depth <= kMaxValueDepth, "values are nested deeper than ", kMaxValueDepth, " levels");
  switch (json.type()) {
    case Json::value_t::boolean:
      return json.get<bool>();
    case Json::value_t::number_integer:
      return json.get<int64_t>();
    case Json::value_t::number_unsigned:
      if (std::in_range<int64_t>(json.get<uint64_t>())) return json.get<int64_t>();
      return json.get<double>();
    case Json::value_t::number_float:
      return json.get<double>();
    case Json::value_t::string:
      return text(Text(json.get<std::string>(), mark));
    case Json::value_t::array: {
      List* made = list();
      for (const Json& item : json) append(*made, from_json(item, mark, unmarked, depth + 1));
      return made;
    }
    case Json::value_t::object: {
      Dict* made = dict();
      for (const auto& [name, item] : json.get_ref<const Json::object_t&>())
        set(*made, text(Text(name, name == unmarked ? Mark{0} : mark)),
            from_json(item, name == unmarked ? Mark{0} : mark, "", depth + 1));
      return made;
    }
    default:
      return None{};
  }
}

Undefined undefined(std::string_view name) { return {std::string(name.substr(0, 64))}; }

std::string kind_of(const Value& value) {
  if (const auto* undefined = value.as<Undefined>())
    return undefined->name.empty() ? "an undefined value"
                                   : concat("'", undefined->name, "', which is undefined,");
  if (value.is<None>()) return "none";
  if (value.is<bool>()) return "a boolean";
  if (value.is<int64_t>()) return "an integer";
  if (value.is<double>()) return "a float";
  if (value.is<TextRef>()) return "a string";
  if (const auto* list = value.as<List*>()) return (*list)->is_tuple ? "a tuple" : "a list";
  if (const auto* dict = value.as<Dict*>()) return (*dict)->is_namespace ? "a namespace" : "a dict";
  if (value.is<Loop*>()) return "the loop";
  return value.is<Macro*>() ? "a macro" : "a method";
}

bool is_true(const Value& value) {
  if (const auto* b = value.as<bool>()) return *b;
  if (value.is_number()) return number(value) != 0;
  if (const Text* text = value.text()) return !text->empty();
  if (const auto* list = value.as<List*>()) return !(*list)->items.empty();
  if (const auto* dict = value.as<Dict*>()) return (*dict)->is_namespace || !(*dict)->items.empty();
  return !value.is_undefined() && !value.is<None>();
}

bool equal(Heap& heap, const Value& a, const Value& b, int depth) {
  heap.step();
  REQUIRE(depth <= kMaxValueDepth, "values are nested deeper than ", kMaxValueDepth, " levels");
  if (a.is_number() && b.is_number()) {
    if (a.is<int64_t>() && b.is<int64_t>()) return *a.as<int64_t>() == *b.as<int64_t>();
    return number(a) == number(b);
  }
  if (a.index() != b.index()) return false;
  if (a.text()) return a.text()->bytes() == b.text()->bytes();
  if (const auto* list = a.as<List*>()) {
    const List &x = **list, &y = **b.as<List*>();
    if (x.is_tuple != y.is_tuple || x.items.size() != y.items.size()) return false;
    for (size_t i = 0; i < x.items.size(); ++i)
      if (!equal(heap, x.items[i], y.items[i], depth + 1)) return false;
    return true;
  }
  if (const auto* dict = a.as<Dict*>()) {
    const Dict &x = **dict, &y = **b.as<Dict*>();
    if (&x == &y) return true;
    if (x.is_namespace || y.is_namespace || x.items.size() != y.items.size()) return false;
    for (const auto& [key, value] : x.items) {
      const Value* other = y.find(key);
      if (!other || !equal(heap, value, *other, depth + 1)) return false;
    }
    return true;
  }
  if (const auto* macro = a.as<Macro*>()) return *macro == *b.as<Macro*>();
  return true;  // undefined, none, the loop
}

bool less(Heap& heap, const Value& a, const Value& b, int depth) {
  heap.step();
  REQUIRE(depth <= kMaxValueDepth, "values are nested deeper than ", kMaxValueDepth, " levels");
  if (a.is_number() && b.is_number()) {
    if (a.is<int64_t>() && b.is<int64_t>()) return *a.as<int64_t>() < *b.as<int64_t>();
    return number(a) < number(b);
  }
  if (a.text() && b.text()) return a.text()->bytes() < b.text()->bytes();
  REQUIRE(a.is<List*>() && b.is<List*>(), kind_of(a), " and ", kind_of(b), " have no order");
  const List &x = **a.as<List*>(), &y = **b.as<List*>();
  for (size_t i = 0; i < x.items.size() && i < y.items.size(); ++i)
    if (!equal(heap, x.items[i], y.items[i], depth + 1))
      return less(heap, x.items[i], y.items[i], depth + 1);
  return x.items.size() < y.items.size();
}

}  // namespace malssi::jinja
