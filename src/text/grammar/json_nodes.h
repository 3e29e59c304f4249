// JSON's scalars as grammar nodes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "text/grammar/grammar.h"

namespace malssi {

// One character of a string, as it is or escaped; surrogates are never escaped.
NodePtr json_character();
// "..." of least to most characters (-1: without end).
NodePtr json_string(int64_t least, int64_t most);
// "..." around what the node takes, its characters escaped where JSON wants it.
NodePtr json_string_of(const NodePtr& content);
// A regular expression as JSON Schema means it: found anywhere unless ^ and $ hold it.
NodePtr json_pattern(std::string_view pattern);
// "date", "time", "date-time", "uuid". Error: another.
NodePtr json_format(std::string_view format);
// "..." that is none of the names, without escapes.
NodePtr json_other_name(const std::vector<std::string>& names);
// The integers between the bounds, of at most 18 digits. Error: there are none.
NodePtr json_integer(std::optional<int64_t> least, std::optional<int64_t> most);
enum class Sign { any, plus };
NodePtr json_number(Sign sign);

}  // namespace malssi
