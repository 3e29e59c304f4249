// What the JSON Schema front end shares.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"

namespace malssi::schema {

// What a schema says only to its readers.
bool is_annotation(std::string_view keyword);
// The schema that "#/..." means. Error: it points outside, or to nothing.
const Json& resolve(const Json& root, const std::string& reference);
// One schema that allows what both allow. Error: keywords that cannot be merged. `where` names it.
Json merge(const Json& root, const Json& a, const Json& b, const std::string& where, int depth = 0);
// Whether no value can satisfy both; false where that is not plain to see.
bool disjoint(const Json& root, const Json& a, const Json& b);

}  // namespace malssi::schema
