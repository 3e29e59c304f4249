// Members, items and iteration of values.
#include "base/error.h"
#include "text/jinja/builtins.h"

namespace malssi::jinja {
namespace {

Value loop_member(const Loop& loop, std::string_view name) {
  REQUIRE(loop.items, "this loop is over");
  const auto length = static_cast<int64_t>(loop.items->size());
  const int64_t at = loop.index0;
  const auto neighbour = [&](int64_t place) {
    const bool inside = place >= 0 && place < length;
    return inside ? (*loop.items)[static_cast<size_t>(place)] : Value(undefined(name));
  };
  if (name == "index") return at + 1;
  if (name == "index0") return at;
  if (name == "revindex") return length - at;
  if (name == "revindex0") return length - at - 1;
  if (name == "first") return at == 0;
  if (name == "last") return at == length - 1;
  if (name == "length") return length;
  if (name == "depth") return int64_t{1};  // deeper only in recursive loops
  if (name == "depth0") return int64_t{0};
  if (name == "previtem") return neighbour(at - 1);
  if (name == "nextitem") return neighbour(at + 1);
  return undefined(name);
}

std::vector<Value> character_values(Heap& heap, const Text& text) {
  const std::vector<size_t> starts = character_starts(text.bytes());
  std::vector<Value> out;
  for (size_t i = 0; i + 1 < starts.size(); ++i)
    out.push_back(heap.text(text.part(starts[i], starts[i + 1] - starts[i])));
  return out;
}

// The place that an index from the front or, if negative, from the end means; -1: outside.
int64_t place_of(int64_t index, int64_t size) {
  const int64_t place = index < 0 && index >= -size ? index + size : index;
  return place < size ? std::max<int64_t>(place, -1) : -1;
}

}  // namespace

Value Interpreter::member(const Value& value, std::string_view name) {
  REQUIRE(!value.is_undefined(), kind_of(value), " has no member '", name, "'");
  if (const auto* loop = value.as<Loop*>()) return loop_member(**loop, name);
  if (const auto* dict = value.as<Dict*>()) {
    if (!(*dict)->is_namespace && find_method(value, name)) return Method{std::string(name)};
    if (const Value* found = (*dict)->find(name)) return *found;
  }
  if (const auto* macro = value.as<Macro*>(); macro && name == "name")
    return heap_.text(Text((*macro)->name));
  if (find_method(value, name)) return Method{std::string(name)};
  return undefined(name);
}

Value Interpreter::item(const Value& value, const Value& key) {
  REQUIRE(!value.is_undefined(), kind_of(value), " has no items");
  const auto* index = key.as<int64_t>();
  if (const auto* dict = value.as<Dict*>()) {
    const bool hashable = !key.is_undefined() && !key.is<List*>() && !key.is<Dict*>();
    const Value* found = hashable ? (*dict)->find(key) : nullptr;
    if (found) return *found;
  } else if (const auto* list = value.as<List*>(); list && index) {
    const int64_t place = place_of(*index, static_cast<int64_t>((*list)->items.size()));
    if (place >= 0) return (*list)->items[static_cast<size_t>(place)];
  } else if (const Text* text = value.text(); text && index) {
    heap_.step(1 + static_cast<int64_t>(text->size()) / 64);
    const std::vector<size_t> starts = character_starts(text->bytes());
    const int64_t place = place_of(*index, static_cast<int64_t>(starts.size()) - 1);
    if (place < 0) return Undefined{};
    const auto at = static_cast<size_t>(place);
    return heap_.text(text->part(starts[at], starts[at + 1] - starts[at]));
  }
  if (key.text()) return member(value, key.text()->bytes());
  return Undefined{};
}

std::vector<Value> Interpreter::items(const Value& value) {
  if (const auto* list = value.as<List*>()) {
    heap_.step(static_cast<int64_t>((*list)->items.size()));
    return (*list)->items;
  }
  if (const Text* text = value.text()) return character_values(heap_, *text);
  std::vector<Value> out;
  if (const auto* dict = value.as<Dict*>(); dict && !(*dict)->is_namespace) {
    heap_.step(static_cast<int64_t>((*dict)->items.size()));
    for (const auto& member : (*dict)->items) out.push_back(member.first);
    return out;
  }
  REQUIRE(value.is_undefined(), kind_of(value), " cannot be iterated over");
  return out;
}

}  // namespace malssi::jinja
