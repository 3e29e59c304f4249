#include "base/config_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace malssi {

namespace {

template <class... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};
template <class... Cases>
Overloaded(Cases...) -> Overloaded<Cases...>;  // compilers of C++17 ask for it

std::optional<double> parse_number(std::string_view text) {
  std::string digits;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool between_digits = i > 0 && i + 1 < text.size() &&
                                isdigit(static_cast<unsigned char>(text[i - 1])) &&
                                isdigit(static_cast<unsigned char>(text[i + 1]));
    if (text[i] == '_' && between_digits) continue;
    digits += text[i];
  }
  const char* begin = digits.data() + (digits.starts_with('+') ? 1 : 0);
  const char* end = digits.data() + digits.size();
  double value = 0;
  const auto [stop, error] = std::from_chars(begin, end, value);
  if (error != std::errc() || stop != end || begin == end) return std::nullopt;
  return value;
}

std::optional<ConfigValue> parse_whole(std::string_view text) {
  std::string digits(text);
  std::erase(digits, '_');
  int64_t value = 0;
  const char* end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, value);
  const std::optional<double> real = parse_number(text);  // also rejects misplaced underscores
  if (!real) return std::nullopt;
  if (error == std::errc() && stop == end) return value;
  if (std::trunc(*real) != *real || std::abs(*real) > 0x1p53) return std::nullopt;
  return static_cast<int64_t>(*real);
}

std::optional<ConfigValue> parse_switch(std::string_view text) {
  for (const std::string_view yes : {"true", "yes", "on", "1"})
    if (text == yes) return true;
  for (const std::string_view no : {"false", "no", "off", "0"})
    if (text == no) return false;
  return std::nullopt;
}

std::optional<ConfigValue> parse_list(std::string_view text) {
  if (text.starts_with('[')) return parse_toml_strings(text);
  std::vector<std::string> items;
  while (!text.empty()) {
    const size_t comma = std::min(text.find(','), text.size());
    items.emplace_back(text.substr(0, comma));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return items;
}

std::string in_quotes(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += fmt::format("\\{}", c);
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  return out + "\"";
}

std::string print_real(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  std::string out = fmt::format("{}", value);  // the shortest that reads back to the same
  if (out.find_first_of(".e") == std::string::npos) out += ".0";
  return out;
}

}  // namespace

ConfigValue value_of(const ConfigField& field) {
  return std::visit([](const auto* value) { return ConfigValue(*value); }, field);
}

std::string_view type_name(const ConfigField& field) {
  return std::visit(Overloaded{[](const int64_t*) { return "a whole number"; },
                               [](const double*) { return "a number"; },
                               [](const bool*) { return "true or false"; },
                               [](const std::string*) { return "a string"; },
                               [](const std::vector<std::string>*) { return "a list of strings"; }},
                    field);
}

std::optional<ConfigValue> parse_value(const ConfigField& field, std::string_view text) {
  using Result = std::optional<ConfigValue>;
  return std::visit(Overloaded{[&](const int64_t*) { return parse_whole(text); },
                               [&](const double*) {
                                 const std::optional<double> value = parse_number(text);
                                 return value ? Result(*value) : Result();
                               },
                               [&](const bool*) { return parse_switch(text); },
                               [&](const std::string*) { return Result(std::string(text)); },
                               [&](const std::vector<std::string>*) { return parse_list(text); }},
                    field);
}

std::string print_value(const ConfigValue& value) {
  return std::visit(Overloaded{[](int64_t whole) { return fmt::format("{}", whole); },
                               [](double real) { return print_real(real); },
                               [](bool on) { return std::string(on ? "true" : "false"); },
                               [](const std::string& text) { return in_quotes(text); },
                               [](const std::vector<std::string>& list) {
                                 std::string out = "[";
                                 for (size_t i = 0; i < list.size(); ++i)
                                   out += (i ? ", " : "") + in_quotes(list[i]);
                                 return out + "]";
                               }},
                    value);
}

}  // namespace malssi
