// Whether an answer gives the expected result. Numbers are compared as such: "$1,234.50" is 1234.5; other results by their
// words, whatever their case. What a model thinks before "</think>" does not count.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"

namespace malssi {

// The number that a text is, written the shortest way ("1234.5"); nothing where it is none.
std::optional<std::string> normalised_number(std::string_view text);
// The last number in a text, so written; "3-4" holds 3 and 4.
std::optional<std::string> final_number(std::string_view text);

// What follows the last `marker`, to the end of its line; of a marker that ends with "{", to its closing "}". Nothing where
// the marker is missing.
std::optional<std::string> after_marker(std::string_view text, std::string_view marker);

// expected: a text, a number, or a list of which any will do; of a text with "####" (GSM8K) what follows. marker empty: the
// last number where a number is expected, else the whole text. `where` names the record in errors.
bool is_exact(std::string_view text, const Json& expected, std::string_view marker,
              std::string_view where);

}  // namespace malssi
