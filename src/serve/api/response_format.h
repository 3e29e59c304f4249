// What form an answer is to have: "text", "json_object" or "json_schema".
#pragma once

#include <optional>
#include <string>

#include "serve/api/fields.h"
#include "text/grammar/grammar.h"

namespace malssi {

// The schema that the format asks for, {"type": "object"} for json_object; nothing for text, or where there is none. Chat has it in
// "response_format" as {"type", "json_schema": {"name", "schema"}}, responses in "text.format" as {"type", "name", "schema"}.
std::optional<Json> read_response_format(const Fields& request, std::string_view key);
// ApiError 400 naming the field: a schema that answers cannot be held to.
Grammar schema_grammar(const Json& schema, const std::string& field);

}  // namespace malssi
