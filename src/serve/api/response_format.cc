#include "serve/api/response_format.h"

#include "base/error.h"
#include "serve/api_error.h"

namespace malssi {

std::optional<Json> read_response_format(const Fields& request, std::string_view key) {
  const Json* given = request.object(key);
  if (!given) return std::nullopt;
  const Fields format(*given, request.name(key));
  format.need("type");
  const std::string type = *format.choice("type", {"text", "json_object", "json_schema"});
  if (type == "text") return std::nullopt;
  if (type == "json_object") return Json{{"type", "object"}};
  const Json* inner = format.object("json_schema");
  const Fields schema(inner ? *inner : *given,
                      inner ? format.name("json_schema") : request.name(key));
  schema.text("name");
  schema.boolean("strict");
  schema.need("schema");
  return *schema.object("schema");
}

Grammar schema_grammar(const Json& schema, const std::string& field) {
  try {
    return json_schema_grammar(schema);
  } catch (const Error& error) {
    throw ApiError(400, concat(field, ": ", error.what()), field, "invalid_schema");
  }
}

}  // namespace malssi
