// The printed forms of config values; shared by the parts of ConfigSchema, of no use elsewhere.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/config.h"

namespace malssi {

ConfigValue value_of(const ConfigField& field);
// "a whole number"
std::string_view type_name(const ConfigField& field);
// A value of the field's type from the command line or environment; nothing when text is not one.
// Numbers may be written 1_000 or 1e6; switches true, false, yes, no, on, off, 1, 0; lists a,b or
// ["a", "b"].
std::optional<ConfigValue> parse_value(const ConfigField& field, std::string_view text);
// TOML's form. Reading it back gives the same value.
std::string print_value(const ConfigValue& value);
// The items of a TOML array of strings; nothing when text is not one. In config_toml.cc.
std::optional<std::vector<std::string>> parse_toml_strings(std::string_view text);

}  // namespace malssi
