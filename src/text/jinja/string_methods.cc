// Methods of strings.
#include <algorithm>

#include "base/error.h"
#include "text/jinja/builtins.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace malssi::jinja {
namespace {

const Text& self(const Call& call) { return *call.self.text(); }
Value made(const Call& call, Text text) { return call.heap().text(std::move(text)); }

Value stripped(const Call& call, Side side) {
  const Text set = call.has(0) && call.args[0].is<None>() ? Text() : call.text(0);
  if (call.has(0) && call.args[0].text() && set.empty()) return call.self;
  return made(call, strip(self(call), set.bytes(), side));
}

Value texts(const Call& call, const std::vector<Text>& parts) {
  List* list = call.heap().list();
  for (const Text& part : parts) call.heap().append(*list, made(call, part));
  return list;
}

Value parts(const Call& call, Side from) {
  const bool at_space = !call.has(0) || call.args[0].is<None>();
  const Text separator = at_space ? Text() : call.text(0);
  REQUIRE(at_space || !separator.empty(), "split at an empty string");
  REQUIRE(!at_space || from == Side::left || !call.has(1), "rsplit at white space takes no limit");
  return texts(call, pieces(call.heap(), self(call), separator.bytes(), call.integer(1, -1), from));
}

Value lines(const Call& call) {
  std::vector<Text> out = pieces(call.heap(), self(call), "\n", -1, Side::left);
  if (out.back().empty()) out.pop_back();
  return texts(call, out);
}

bool matches(const Call& call, const Value& affix, bool at_end) {
  if (const auto* list = affix.as<List*>())
    return std::any_of((*list)->items.begin(), (*list)->items.end(),
                       [&](const Value& one) { return matches(call, one, at_end); });
  REQUIRE(affix.text(), "expected a string, found ", kind_of(affix));
  const std::string_view text = self(call).bytes(), part = affix.text()->bytes();
  return at_end ? text.ends_with(part) : text.starts_with(part);
}

Value without(const Call& call, bool at_end) {
  const Text affix = call.text(0);
  if (!matches(call, call.args.at(0), at_end)) return call.self;
  const size_t rest = self(call).size() - affix.size();
  return made(call, self(call).part(at_end ? 0 : affix.size(), rest));
}

Value place(const Call& call, size_t at) {
  if (at == std::string_view::npos) return int64_t{-1};
  return characters(self(call).bytes().substr(0, at));
}

Value count(const Call& call) {
  const Text part = call.text(0);
  REQUIRE(!part.empty(), "count of an empty string");
  return occurrences(self(call).bytes(), part.bytes());
}

Value joined(const Call& call) {
  Text out;
  bool first = true;
  for (const Value& item : call.interpreter.items(call.args.at(0))) {
    REQUIRE(item.text(), "join of ", kind_of(item), ", expected strings");
    call.heap().allocate(static_cast<int64_t>(self(call).size() + item.text()->size()));
    if (!first) out.append(self(call));
    first = false;
    out.append(*item.text());
    call.heap().check_text(out.size());
  }
  return made(call, std::move(out));
}

// The value that {}, {2} or {name} means.
Value format_value(const Call& call, std::string_view field, size_t& next) {
  if (field.empty()) {
    REQUIRE(next < call.args.size(), "format has more places than values");
    return call.args[next++];
  }
  for (const auto& [name, value] : call.given.named)
    if (name == field) return value;
  const bool number = field.size() < 4 && field.find_first_not_of("0123456789") == field.npos;
  const size_t at = number ? std::stoul(std::string(field)) : call.args.size();
  REQUIRE(at < call.args.size(), "format has no value for {", field, "}");
  return call.args[at];
}

Value format(const Call& call) {
  const std::string_view text = self(call).bytes();
  Text out;
  size_t next = 0;
  for (size_t at = 0; at < text.size(); ++at) {
    const bool doubled = at + 1 < text.size() && text[at + 1] == text[at];
    if (text[at] == '{' && !doubled) {
      const size_t close = text.find('}', at);
      REQUIRE(close != text.npos, "format: { is not closed");
      out.append(
          to_text(call.heap(), format_value(call, text.substr(at + 1, close - at - 1), next)));
      call.heap().check_text(out.size());
      at = close;
    } else {
      out.append(self(call), at, 1);
      if (doubled && (text[at] == '{' || text[at] == '}')) ++at;
    }
  }
  return made(call, std::move(out));
}

Value partition(const Call& call) {
  const Text separator = call.text(0);
  REQUIRE(!separator.empty(), "partition at an empty string");
  const std::vector<Text> both = split(self(call), separator.bytes(), 1, Side::left);
  const bool found = both.size() == 2;
  return call.heap().tuple({made(call, both[0]), made(call, found ? separator : Text()),
                            made(call, found ? both[1] : Text())});
}

bool all_are(const Call& call, bool (*is)(int32_t)) {
  const std::string_view text = self(call).bytes();
  for (size_t at = 0; at < text.size();) {
    const CodePoint c = decode_utf8(text, static_cast<int64_t>(at));
    if (!is(c.value)) return false;
    at += static_cast<size_t>(c.length);
  }
  return !text.empty();
}

bool is_digit(int32_t c) { return c >= '0' && c <= '9'; }
bool is_letter(int32_t c) { return c >= 0 && char_class(c) == CharClass::letter; }

Value replace_method(const Call& call) {
  return replaced(call.heap(), self(call), call.text(0).bytes(), call.text(1), call.integer(2, -1));
}

Value cased(const Call& call, Case form) { return made(call, with_case(self(call), form)); }

constexpr Builtin kMethods[] = {
    {"capitalize", "", [](const Call& c) { return cased(c, Case::capitalize); }},
    {"count", "sub", count},
    {"endswith", "suffix", [](const Call& c) -> Value { return matches(c, c.args.at(0), true); }},
    {"find", "sub",
     [](const Call& c) { return place(c, self(c).bytes().find(c.text(0).bytes())); }},
    {"format", "*", format},
    {"isalpha", "", [](const Call& c) -> Value { return all_are(c, is_letter); }},
    {"isdigit", "", [](const Call& c) -> Value { return all_are(c, is_digit); }},
    {"isspace", "", [](const Call& c) -> Value { return all_are(c, is_white_space); }},
    {"join", "iterable", joined},
    {"lower", "", [](const Call& c) { return cased(c, Case::lower); }},
    {"lstrip", "chars", [](const Call& c) { return stripped(c, Side::left); }},
    {"partition", "sep", partition},
    {"removeprefix", "prefix", [](const Call& c) { return without(c, false); }},
    {"removesuffix", "suffix", [](const Call& c) { return without(c, true); }},
    {"replace", "old,new,count", replace_method},
    {"rfind", "sub",
     [](const Call& c) { return place(c, self(c).bytes().rfind(c.text(0).bytes())); }},
    {"rsplit", "sep,maxsplit", [](const Call& c) { return parts(c, Side::right); }},
    {"rstrip", "chars", [](const Call& c) { return stripped(c, Side::right); }},
    {"split", "sep,maxsplit", [](const Call& c) { return parts(c, Side::left); }},
    {"splitlines", "", lines},
    {"startswith", "prefix",
     [](const Call& c) -> Value { return matches(c, c.args.at(0), false); }},
    {"strip", "chars", [](const Call& c) { return stripped(c, Side::both); }},
    {"title", "", [](const Call& c) { return cased(c, Case::title); }},
    {"upper", "", [](const Call& c) { return cased(c, Case::upper); }},
};

}  // namespace

std::vector<Text> pieces(Heap& heap, const Text& text, std::string_view separator, int64_t most,
                         Side from) {
  // White space: a bound.
  int64_t count = separator.empty() ? static_cast<int64_t>(text.size()) / 2
                                    : occurrences(text.bytes(), separator);
  if (most >= 0) count = std::min(count, most);
  heap.allocate(2 * (count + 1) * static_cast<int64_t>(sizeof(Text)));
  return split(text, separator, most, from);
}

Value replaced(Heap& heap, const Text& text, std::string_view from, const Text& to, int64_t most) {
  int64_t count = occurrences(text.bytes(), from);
  if (most >= 0) count = std::min(count, most);
  int64_t size = 0;
  const bool fits = !__builtin_mul_overflow(count, static_cast<int64_t>(to.size()), &size);
  heap.check_text(fits ? text.size() + static_cast<size_t>(size) : SIZE_MAX / 2);
  return heap.text(replace(text, from, to, most));
}

std::span<const Builtin> string_methods() { return kMethods; }

}  // namespace malssi::jinja
