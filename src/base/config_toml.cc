// ConfigSchema's TOML and JSON forms.
#include <toml++/toml.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/config.h"
#include "base/config_text.h"
#include "base/error.h"
#include "base/file.h"

namespace malssi {

namespace {

using Leaf = std::function<void(const std::string& key, const toml::node& node)>;

// Calls leaf for each value under table, and for each empty table.
void walk(const toml::table& table, const std::string& prefix, const Leaf& leaf) {
  for (const auto& [name, node] : table) {
    const std::string key = prefix + std::string(name.str());
    const toml::table* inner = node.as_table();
    if (inner && !inner->empty()) {
      walk(*inner, key + ".", leaf);
    } else {
      leaf(key, node);
    }
  }
}

std::optional<ConfigValue> strings_of(const toml::array& array) {
  std::vector<std::string> items;
  for (const toml::node& item : array) {
    const auto* text = item.as_string();
    if (!text) return std::nullopt;
    items.push_back(text->get());
  }
  return items;
}

// A value of the field's type, or nothing. Numbers convert where nothing is lost.
std::optional<ConfigValue> value_from(const ConfigField& field, const toml::node& node) {
  if (std::holds_alternative<int64_t*>(field)) {
    if (const auto* whole = node.as_integer()) return whole->get();
    const auto* real = node.as_floating_point();
    if (!real || std::trunc(real->get()) != real->get() || std::abs(real->get()) > 0x1p53)
      return std::nullopt;
    return static_cast<int64_t>(real->get());
  }
  if (std::holds_alternative<double*>(field)) {
    if (const auto* whole = node.as_integer()) return static_cast<double>(whole->get());
    if (const auto* real = node.as_floating_point()) return real->get();
  }
  if (std::holds_alternative<bool*>(field))
    if (const auto* on = node.as_boolean()) return on->get();
  if (std::holds_alternative<std::string*>(field))
    if (const auto* text = node.as_string()) return text->get();
  if (std::holds_alternative<std::vector<std::string>*>(field)) {
    if (const auto* text = node.as_string()) return std::vector<std::string>{text->get()};
    if (const auto* array = node.as_array()) return strings_of(*array);
  }
  return std::nullopt;
}

std::string printed(const toml::node& node) {
  std::ostringstream out;
  if (node.is_table()) {
    out << "a table";
  } else if (node.is_array()) {
    out << "a list";
  } else {
    node.visit([&](const auto& value) { out << value; });
  }
  return out.str();
}

std::pair<std::string, std::string> split_key(const std::string& key) {  // "a.b.c" -> "a.b", "c"
  const size_t dot = key.rfind('.');
  if (dot == std::string::npos) return {"", key};
  return {key.substr(0, dot), key.substr(dot + 1)};
}

}  // namespace

std::optional<std::vector<std::string>> parse_toml_strings(std::string_view text) {
  try {
    const toml::table table = toml::parse("list = " + std::string(text));
    const toml::array* array = table["list"].as_array();
    const std::optional<ConfigValue> items = array ? strings_of(*array) : std::nullopt;
    if (!items || table.size() != 1) return std::nullopt;
    return std::get<std::vector<std::string>>(*items);
  } catch (const toml::parse_error&) {
    return std::nullopt;
  }
}

void ConfigSchema::load_toml(const std::filesystem::path& file) {
  constexpr int64_t kLargest = 1 << 20;  // a config is written by hand
  load_toml_text(read_file(file, kLargest), file.string());
}

void ConfigSchema::load_toml_text(std::string_view text, std::string_view where) {
  toml::table table;
  try {
    table = toml::parse(text, where);
  } catch (const toml::parse_error& problem) {
    throw Error(concat(where, ":", problem.source().begin.line, ":", problem.source().begin.column,
                       ": not valid TOML: ", problem.description()));
  }
  walk(table, "", [&](const std::string& key, const toml::node& node) {
    const std::string origin = concat(where, ":", node.source().begin.line);
    Entry* entry = find(key);
    if (!entry) fail_unknown(key, origin, Source::file);
    std::optional<ConfigValue> value = value_from(entry->field, node);
    REQUIRE(value, origin, ": '", key, "' is ", printed(node), " but must be ",
            type_name(entry->field));
    assign(*entry, std::move(*value), Source::file, origin);
  });
}

std::string ConfigSchema::to_toml() const {
  std::vector<std::string> tables = {
      ""};  // in order of first appearance; keys without a table must come first
  for (const Entry& entry : entries_) {
    const std::string table = split_key(entry.key).first;
    if (std::find(tables.begin(), tables.end(), table) == tables.end()) tables.push_back(table);
  }
  std::string out;
  for (const std::string& table : tables) {
    if (!table.empty()) out += concat(out.empty() ? "" : "\n", "[", table, "]\n");
    for (const Entry& entry : entries_) {
      const auto [in_table, leaf] = split_key(entry.key);
      if (in_table == table)
        out += concat(leaf, " = ", print_value(value_of(entry.field)), "  # ", entry.help, "\n");
    }
  }
  return out;
}

nlohmann::ordered_json ConfigSchema::to_json() const {
  nlohmann::ordered_json out = nlohmann::ordered_json::object();
  for (const Entry& entry : entries_) {
    nlohmann::ordered_json* at = &out;
    std::string rest = entry.key;
    for (size_t dot; (dot = rest.find('.')) != std::string::npos; rest = rest.substr(dot + 1))
      at = &(*at)[rest.substr(0, dot)];
    std::visit([&](const auto* value) { (*at)[rest] = *value; }, entry.field);
  }
  return out;
}

}  // namespace malssi
