// Filters that make a string, or a number, of one value.
#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/error.h"
#include "text/jinja/builtins.h"
#include "text/utf8.h"

namespace malssi::jinja {
namespace {

Text self_text(const Call& call) { return to_text(call.heap(), call.self); }
Value made(const Call& call, Text text) { return call.heap().text(std::move(text)); }

Value trim(const Call& call) {
  return made(call, strip(self_text(call), call.text(0).bytes(), Side::both));
}

Value replace_filter(const Call& call) {
  const Text from = to_text(call.heap(), call.args.at(0)),
             to = to_text(call.heap(), call.args.at(1));
  return replaced(call.heap(), self_text(call), from.bytes(), to, call.integer(2, -1));
}

// Words begin after white space and after - ( { [ <.
Value title(const Call& call) {
  const Text text = self_text(call);
  Text out;
  constexpr std::string_view kBetween = "-({[<";
  const std::vector<size_t> starts = character_starts(text.bytes());
  bool inside = false;
  for (size_t i = 0; i + 1 < starts.size(); ++i) {
    const Text one = text.part(starts[i], starts[i + 1] - starts[i]);
    out.append(with_case(one, inside ? Case::lower : Case::upper));
    inside = kBetween.find(one.bytes()[0]) == kBetween.npos &&
             !is_white_space(decode_utf8(one.bytes(), 0).value);
  }
  return made(call, std::move(out));
}

Value indent(const Call& call) {
  const Text text = self_text(call);
  const bool is_text = call.has(0) && call.args[0].text();
  const int64_t width = is_text ? 0 : call.integer(0, 4);
  REQUIRE(width >= 0 && width <= 1000, "indent by ", width, ", expected 0 to 1000");
  const std::string space = is_text ? std::string(call.args[0].text()->bytes())
                                    : std::string(static_cast<size_t>(width), ' ');
  const std::vector<Text> lines = pieces(call.heap(), text, "\n", -1, Side::left);
  call.heap().allocate(static_cast<int64_t>(lines.size() * space.size()));
  Text out;
  for (size_t i = 0; i < lines.size(); ++i) {
    if (i > 0) out.append("\n");
    const bool wanted = i == 0 ? call.flag(1) : call.flag(2) || !lines[i].empty();
    if (wanted) out.append(space);
    out.append(lines[i]);
  }
  return made(call, std::move(out));
}

Value tojson(const Call& call) {
  JsonStyle style{.indent = call.integer(1, -1), .ascii = call.flag(0), .sort_keys = call.flag(3)};
  if (style.indent >= 0) style.item_separator = ",";
  if (call.has(2) && !call.args[2].is<None>()) {
    const std::vector<Value> both = call.interpreter.items(call.args[2]);
    REQUIRE(both.size() == 2 && both[0].text() && both[1].text(),
            "tojson: separators must be two strings");
    style.item_separator = both[0].text()->bytes();
    style.key_separator = both[1].text()->bytes();
  }
  return made(call, to_json(call.heap(), call.self, style));
}

Value from_json(const Call& call) {
  const Text text = self_text(call);
  const Json json = parse_json(text.bytes(), "from_json", kMaxValueDepth);
  return call.heap().from_json(json, text.empty() ? Mark{0} : text.mark(0));
}

Value escape(const Call& call) {
  const Text text = self_text(call);
  Text out;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text.bytes()[i];
    const std::string_view other = c == '&'    ? "&amp;"
                                   : c == '<'  ? "&lt;"
                                   : c == '>'  ? "&gt;"
                                   : c == '"'  ? "&#34;"
                                   : c == '\'' ? "&#39;"
                                               : "";
    if (other.empty())
      out.append(text, i, 1);
    else
      out.append(other, text.mark(i));
  }
  return made(call, std::move(out));
}

template <class T>
bool read_number(std::string_view text, T& value) {
  if (text.starts_with('+')) text.remove_prefix(1);
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  return read.ec == std::errc() && read.ptr == text.data() + text.size();
}

Value to_int(const Call& call) {
  const Value fallback = call.has(0) ? call.args[0] : Value(int64_t{0});
  double real = 0;
  if (const Text* text = call.self.text()) {
    const Text plain = strip(*text, "", Side::both);
    int64_t integer = 0;
    if (read_number(plain.bytes(), integer)) return integer;
    if (!read_number(plain.bytes(), real)) return fallback;
  } else if (call.self.is<double>()) {
    real = *call.self.as<double>();
  } else if (call.self.is_number()) {
    return static_cast<int64_t>(to_double(call.self));
  } else {
    return fallback;
  }
  return std::abs(real) < 9e18 ? Value(static_cast<int64_t>(real)) : fallback;
}

Value to_float(const Call& call) {
  double real = 0;
  if (call.self.is_number()) return to_double(call.self);
  if (const Text* text = call.self.text())
    if (read_number(strip(*text, "", Side::both).bytes(), real)) return real;
  return call.has(0) ? call.args[0] : Value(0.0);
}

Value absolute(const Call& call) {
  REQUIRE(call.self.is_number(), "abs of ", kind_of(call.self), ", expected a number");
  return to_double(call.self) < 0 ? negative(call.self) : call.self;
}

Value rounded(const Call& call) {
  REQUIRE(call.self.is_number(), "round of ", kind_of(call.self), ", expected a number");
  const double value = to_double(call.self);
  const int64_t digits = std::clamp<int64_t>(call.integer(0, 0), -300, 300);
  const double scale = std::pow(10.0, static_cast<double>(digits));
  const Text method = call.text(1, "common");
  if (method.bytes() == "ceil") return std::ceil(value * scale) / scale;
  if (method.bytes() == "floor") return std::floor(value * scale) / scale;
  return std::nearbyint(value * scale) / scale;  // halves to even, as Python rounds
}

Value fallback(const Call& call) {
  const bool missing = call.self.is_undefined() || (call.flag(1) && !is_true(call.self));
  if (!missing) return call.self;
  return call.has(0) ? call.args[0] : made(call, Text());
}

Value cased(const Call& call, Case form) { return made(call, with_case(self_text(call), form)); }

constexpr Builtin kFilters[] = {
    {"abs", "", absolute},
    {"capitalize", "", [](const Call& c) { return cased(c, Case::capitalize); }},
    {"d", "default_value,boolean", fallback},
    {"default", "default_value,boolean", fallback},
    {"e", "", escape},
    {"escape", "", escape},
    {"float", "default", to_float},
    {"from_json", "", from_json},
    {"indent", "width,first,blank", indent},
    {"int", "default,base", to_int},
    {"lower", "", [](const Call& c) { return cased(c, Case::lower); }},
    {"replace", "old,new,count", replace_filter},
    {"round", "precision,method", rounded},
    {"safe", "", [](const Call& c) { return c.self; }},
    {"string", "", [](const Call& c) { return made(c, self_text(c)); }},
    {"title", "", title},
    {"tojson", "ensure_ascii,indent,separators,sort_keys", tojson},
    {"trim", "chars", trim},
    {"upper", "", [](const Call& c) { return cased(c, Case::upper); }},
};

}  // namespace

std::span<const Builtin> text_filters() { return kFilters; }

}  // namespace malssi::jinja
