// How values read: as Python's str, repr and json.dumps write them.
#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "base/error.h"
#include "text/jinja/value.h"
#include "text/utf8.h"

namespace malssi::jinja {
namespace {

std::string hex(int32_t value, int digits) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) out += kDigits[(value >> shift) & 15];
  return out;
}

void append_quoted_repr(const Text& text, Text& out) {
  const std::string_view bytes = text.bytes();
  const char quote = bytes.find('\'') != bytes.npos && bytes.find('"') == bytes.npos ? '"' : '\'';
  out.append(std::string_view(&quote, 1));
  for (size_t at = 0; at < bytes.size(); ++at) {
    const char c = bytes[at];
    const Mark mark = text.mark(at);
    if (c == '\n')
      out.append("\\n", mark);
    else if (c == '\r')
      out.append("\\r", mark);
    else if (c == '\t')
      out.append("\\t", mark);
    else if (c == '\\' || c == quote)
      out.append(std::string{'\\', c}, mark);
    else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
      out.append("\\x" + hex(c, 2), mark);
    else
      out.append(text, at, 1);
  }
  out.append(std::string_view(&quote, 1));
}

void append_json_string(const Text& text, bool ascii, Text& out) {
  const std::string_view bytes = text.bytes();
  out.append("\"");
  for (size_t at = 0; at < bytes.size();) {
    const CodePoint c = decode_utf8(bytes, static_cast<int64_t>(at));
    const Mark mark = text.mark(at);
    constexpr std::string_view kEscaped = "\"\\\n\r\t\b\f", kNames = "\"\\nrtbf";
    const size_t known = c.value >= 0 && c.value < 0x80 ? kEscaped.find(static_cast<char>(c.value))
                                                        : std::string_view::npos;
    if (known != std::string_view::npos)
      out.append(std::string{'\\', kNames[known]}, mark);
    else if (c.value >= 0 && (c.value < 0x20 || (ascii && c.value > 0x7e && c.value < 0x10000)))
      out.append("\\u" + hex(c.value, 4), mark);
    else if (ascii && c.value >= 0x10000)
      out.append(
          "\\u" + hex(0xD7C0 + (c.value >> 10), 4) + "\\u" + hex(0xDC00 + (c.value & 0x3FF), 4),
          mark);
    else
      out.append(text, at, static_cast<size_t>(c.length));
    at += static_cast<size_t>(c.length);
  }
  out.append("\"");
}

class JsonWriter {
 public:
  JsonWriter(Heap& heap, const JsonStyle& style) : heap_(heap), style_(style) {}

  void write(const Value& value, Text& out, int depth) {
    heap_.step();
    heap_.check_text(out.size());
    REQUIRE(depth <= kMaxValueDepth, "values are nested deeper than ", kMaxValueDepth, " levels");
    if (const Text* text = value.text()) {
      append_json_string(*text, style_.ascii, out);
    } else if (const auto* list = value.as<List*>()) {
      write_list(**list, out, depth);
    } else if (const auto* dict = value.as<Dict*>(); dict && !(*dict)->is_namespace) {
      write_dict(**dict, out, depth);
    } else {
      out.append(scalar(value));
    }
  }

 private:
  static std::string scalar(const Value& value) {
    if (value.is<None>()) return "null";
    if (const auto* b = value.as<bool>()) return *b ? "true" : "false";
    if (const auto* i = value.as<int64_t>()) return std::to_string(*i);
    REQUIRE(value.is<double>(), "tojson: ", kind_of(value), " has no JSON form");
    const double d = *value.as<double>();
    if (std::isnan(d)) return "NaN";
    if (std::isinf(d)) return d > 0 ? "Infinity" : "-Infinity";
    return float_text(d);
  }

  void line(Text& out, int depth) {
    if (style_.indent < 0) return;
    heap_.allocate(style_.indent * depth);
    out.append("\n" + std::string(static_cast<size_t>(style_.indent * depth), ' '));
  }

  void write_list(const List& list, Text& out, int depth) {
    if (list.items.empty()) return out.append("[]");
    for (size_t i = 0; i < list.items.size(); ++i) {
      out.append(i ? style_.item_separator : "[");
      line(out, depth + 1);
      write(list.items[i], out, depth + 1);
    }
    line(out, depth);
    out.append("]");
  }

  void write_dict(const Dict& dict, Text& out, int depth) {
    if (dict.items.empty()) return out.append("{}");
    std::vector<const std::pair<Value, Value>*> members;
    for (const auto& member : dict.items) members.push_back(&member);
    if (style_.sort_keys)
      std::stable_sort(members.begin(), members.end(), [&](const auto* a, const auto* b) {
        return less(heap_, a->first, b->first);
      });
    bool first = true;
    for (const auto* member : members) {
      out.append(first ? "{" : style_.item_separator);
      first = false;
      line(out, depth + 1);
      const Text* key = member->first.text();
      append_json_string(key ? *key : Text(scalar(member->first)), style_.ascii, out);
      out.append(style_.key_separator);
      write(member->second, out, depth + 1);
    }
    line(out, depth);
    out.append("}");
  }

  Heap& heap_;
  const JsonStyle& style_;
};

}  // namespace

std::string float_text(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  std::array<char, 40> buffer;
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                 std::chars_format::scientific);
  const std::string_view text(buffer.data(), static_cast<size_t>(end.ptr - buffer.data()));
  const size_t e = text.find('e');
  int exponent = 0;
  const size_t digits = text[e + 1] == '+' ? e + 2 : e + 1;
  std::from_chars(text.data() + digits, text.data() + text.size(), exponent);
  if (exponent < -4 || exponent >= 16) return std::string(text);
  const auto fixed =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::fixed);
  std::string out(buffer.data(), fixed.ptr);
  return out.find('.') == out.npos ? out + ".0" : out;
}

void append_repr(Heap& heap, const Value& value, Text& out, int depth) {
  heap.step();
  heap.check_text(out.size());
  REQUIRE(depth <= kMaxValueDepth, "values are nested deeper than ", kMaxValueDepth, " levels");
  if (const Text* text = value.text()) return append_quoted_repr(*text, out);
  if (const auto* list = value.as<List*>()) {
    const List& items = **list;
    out.append(items.is_tuple ? "(" : "[");
    for (size_t i = 0; i < items.items.size(); ++i) {
      if (i) out.append(", ");
      append_repr(heap, items.items[i], out, depth + 1);
    }
    return out.append(!items.is_tuple ? "]" : items.items.size() == 1 ? ",)" : ")");
  }
  if (const auto* dict = value.as<Dict*>()) {
    out.append("{");
    for (size_t i = 0; i < (*dict)->items.size(); ++i) {
      if (i) out.append(", ");
      append_repr(heap, (*dict)->items[i].first, out, depth + 1);
      out.append(": ");
      append_repr(heap, (*dict)->items[i].second, out, depth + 1);
    }
    return out.append("}");
  }
  if (value.is_undefined()) return out.append("Undefined");
  out.append(to_text(heap, value));
}

Text to_text(Heap& heap, const Value& value) {
  if (const Text* text = value.text()) return *text;
  if (value.is_undefined()) return {};
  if (value.is<None>()) return Text("None");
  if (const auto* b = value.as<bool>()) return Text(*b ? "True" : "False");
  if (const auto* i = value.as<int64_t>()) return Text(std::to_string(*i));
  if (const auto* d = value.as<double>()) return Text(float_text(*d));
  REQUIRE(value.is<List*>() || value.is<Dict*>(), kind_of(value), " cannot be printed");
  Text out;
  append_repr(heap, value, out);
  return out;
}

Text to_json(Heap& heap, const Value& value, const JsonStyle& style) {
  REQUIRE(style.indent <= 64, "tojson: indent is ", style.indent, ", expected at most 64");
  Text out;
  JsonWriter(heap, style).write(value, out, 0);
  return out;
}

}  // namespace malssi::jinja
