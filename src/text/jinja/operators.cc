// Arithmetic, `in`, and slices, as Python has them.
#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "text/jinja/builtins.h"

namespace malssi::jinja {
namespace {

int64_t to_integer(const Value& value) {
  if (const auto* b = value.as<bool>()) return *b;
  return *value.as<int64_t>();
}

bool is_integer(const Value& value) { return value.is<int64_t>() || value.is<bool>(); }

[[noreturn]] void fail(std::string_view name, const Value& a, const Value& b) {
  throw Error(concat(kind_of(a), " ", name, " ", kind_of(b), " has no meaning"));
}

int64_t floor_divide(int64_t a, int64_t b) {
  const int64_t quotient = a / b;
  return quotient - (a % b != 0 && (a < 0) != (b < 0));
}

int64_t power(int64_t base, int64_t exponent) {
  int64_t out = 1;
  for (; exponent > 0; --exponent) {
    REQUIRE(!__builtin_mul_overflow(out, base, &out), "** gives too large an integer");
    if (out == 0 || out == 1) break;
    if (out == -1) return exponent % 2 == 1 ? -1 : 1;
  }
  return out;
}

Value integers(std::string_view name, int64_t a, int64_t b) {
  int64_t out = 0;
  bool fits = true;
  if (name == "+") fits = !__builtin_add_overflow(a, b, &out);
  if (name == "-") fits = !__builtin_sub_overflow(a, b, &out);
  if (name == "*") fits = !__builtin_mul_overflow(a, b, &out);
  if (name == "//" || name == "%") {
    REQUIRE(b != 0, "division by zero");
    if (b == -1)
      fits = name == "%" || !__builtin_sub_overflow(int64_t{0}, a, &out);
    else
      out = name == "%" ? a - floor_divide(a, b) * b : floor_divide(a, b);
  }
  if (name == "**") out = power(a, b);
  REQUIRE(fits, "the integers ", a, " ", name, " ", b, " give too large a one");
  return out;
}

Value reals(std::string_view name, double a, double b) {
  if (name == "+") return a + b;
  if (name == "-") return a - b;
  if (name == "*") return a * b;
  if (name == "**") return std::pow(a, b);
  REQUIRE(b != 0, "division by zero");
  if (name == "/") return a / b;
  if (name == "//") return std::floor(a / b);
  const double rest = std::fmod(a, b);
  return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}

Value repeated(Heap& heap, const Value& sequence, int64_t times) {
  times = std::max<int64_t>(times, 0);
  const Text* text = sequence.text();
  const List* list = text ? nullptr : *sequence.as<List*>();
  const auto size = static_cast<int64_t>(text ? text->size() : list->items.size() * sizeof(Value));
  int64_t bytes = 0;
  REQUIRE(!__builtin_mul_overflow(size, times, &bytes), "* gives too long a value");
  heap.allocate(bytes);
  if (size == 0) times = 0;
  if (text) {
    Text out, some = *text;  // some: 1, 2, 4, .. times the text
    for (; times > 0; times /= 2) {
      if (times % 2 == 1) out.append(some);
      if (times > 1) some.append(Text(some));
    }
    return heap.text(std::move(out));
  }
  std::vector<Value> items;
  for (int64_t i = 0; i < times; ++i)
    items.insert(items.end(), list->items.begin(), list->items.end());
  return list->is_tuple ? heap.tuple(std::move(items)) : heap.list(std::move(items));
}

// Of "%s" and "%d" alone.
Value formatted(Heap& heap, const Text& format, const Value& value) {
  std::vector<Value> values = {value};
  if (const auto* list = value.as<List*>(); list && (*list)->is_tuple) values = (*list)->items;
  Text out;
  size_t used = 0;
  const std::string_view bytes = format.bytes();
  for (size_t at = 0; at < bytes.size(); ++at) {
    if (bytes[at] != '%') {
      out.append(format, at, 1);
      continue;
    }
    const char kind = at + 1 < bytes.size() ? bytes[++at] : ' ';
    if (kind == '%') {
      out.append("%");
      continue;
    }
    REQUIRE(kind == 's' || kind == 'd', "a format has %", kind, ", expected %s, %d or %%");
    REQUIRE(used < values.size(), "a format has more places than values");
    out.append(to_text(heap, values[used++]));
    heap.check_text(out.size());
  }
  REQUIRE(used == values.size(), "a format has fewer places than values");
  return heap.text(std::move(out));
}

Value joined(Heap& heap, const List& a, const List& b) {
  std::vector<Value> items = a.items;
  items.insert(items.end(), b.items.begin(), b.items.end());
  return a.is_tuple ? heap.tuple(std::move(items)) : heap.list(std::move(items));
}

}  // namespace

double to_double(const Value& number) {
  if (is_integer(number)) return static_cast<double>(to_integer(number));
  return *number.as<double>();
}

Value binary(Heap& heap, std::string_view name, const Value& a, const Value& b) {
  if (a.is_number() && b.is_number()) {
    const bool whole =
        is_integer(a) && is_integer(b) && name != "/" && !(name == "**" && to_integer(b) < 0);
    if (whole) return integers(name, to_integer(a), to_integer(b));
    return reals(name, to_double(a), to_double(b));
  }
  if (name == "+" && a.text() && b.text()) {
    Text out = *a.text();
    out.append(*b.text());
    return heap.text(std::move(out));
  }
  if (name == "+" && a.is<List*>() && b.is<List*>() &&
      (*a.as<List*>())->is_tuple == (*b.as<List*>())->is_tuple)
    return joined(heap, **a.as<List*>(), **b.as<List*>());
  const auto is_sequence = [](const Value& value) { return value.text() || value.is<List*>(); };
  if (name == "*" && is_sequence(a) && is_integer(b)) return repeated(heap, a, to_integer(b));
  if (name == "*" && is_integer(a) && is_sequence(b)) return repeated(heap, b, to_integer(a));
  if (name == "%" && a.text()) return formatted(heap, *a.text(), b);
  fail(name, a, b);
}

Value negative(const Value& value) {
  if (value.is<double>()) return -*value.as<double>();
  REQUIRE(is_integer(value), "a sign before ", kind_of(value), " has no meaning");
  return integers("-", 0, to_integer(value));
}

bool contains(Heap& heap, const Value& container, const Value& item) {
  if (const Text* text = container.text()) {
    REQUIRE(item.text(), kind_of(item), " in a string has no meaning: expected a string");
    heap.step(1 + static_cast<int64_t>(text->size()) / 64);
    return text->bytes().find(item.text()->bytes()) != std::string_view::npos;
  }
  if (const auto* list = container.as<List*>())
    return std::any_of((*list)->items.begin(), (*list)->items.end(),
                       [&](const Value& other) { return equal(heap, other, item); });
  if (const auto* dict = container.as<Dict*>(); dict && !(*dict)->is_namespace)
    return !item.is_undefined() && (*dict)->find(item) != nullptr;
  REQUIRE(container.is_undefined(), "in ", kind_of(container), " has no meaning");
  return false;
}

std::vector<int64_t> slice_places(int64_t size, const Value& start, const Value& stop,
                                  const Value& step) {
  const auto number = [](const Value& value, int64_t fallback) {
    if (value.is_undefined() || value.is<None>()) return fallback;
    REQUIRE(is_integer(value), "a slice with ", kind_of(value), ", expected integers");
    return to_integer(value);
  };
  const int64_t by = std::clamp<int64_t>(number(step, 1), -size - 1, size + 1);
  REQUIRE(by != 0, "a slice with step 0");
  const int64_t low = by > 0 ? 0 : -1, high = by > 0 ? size : size - 1;
  const auto bound = [&](const Value& value, int64_t fallback) {
    const int64_t given = number(value, fallback);
    if (value.is_undefined() || value.is<None>()) return given;
    return std::clamp(given < 0 && given >= -size ? given + size
                      : given < 0                 ? low
                                                  : given,
                      low, high);
  };
  const int64_t from = bound(start, by > 0 ? low : high), to = bound(stop, by > 0 ? high : low);
  std::vector<int64_t> places;
  for (int64_t at = from; by > 0 ? at < to : at > to; at += by) places.push_back(at);
  return places;
}

}  // namespace malssi::jinja
