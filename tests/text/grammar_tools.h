// Random JSON schemas, and a validator of its own for what json_schema_grammar() takes.
#pragma once

#include <algorithm>
#include <regex>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/random.h"
#include "text/bpe_trainer.h"
#include "text/utf8.h"

namespace malssi {

inline std::string json_like_text() {
  std::string text;
  for (int i = 0; i < 50; ++i)
    text += "{\"name\": \"Mina\", \"list\": [1, 2, 30], \"ok\": true, \"none\": null, \"x\": {}}\n";
  return text;
}

inline bool has_type(const Json& value, const std::string& type) {
  if (type == "object") return value.is_object();
  if (type == "array") return value.is_array();
  if (type == "string") return value.is_string();
  if (type == "integer") return value.is_number_integer();
  if (type == "number") return value.is_number();
  if (type == "boolean") return value.is_boolean();
  return value.is_null();
}

bool satisfies(const Json& root, const Json& schema, const Json& value);

inline bool object_satisfies(const Json& root, const Json& schema, const Json& value) {
  for (const Json& name : schema.value("required", Json::array()))
    if (!value.contains(name.get<std::string>())) return false;
  const Json properties = schema.value("properties", Json::object());
  for (const auto& [name, member] : value.get_ref<const Json::object_t&>()) {
    const Json own = properties.contains(name) ? properties[name]
                                               : schema.value("additionalProperties", Json(true));
    if (!satisfies(root, own, member)) return false;
  }
  return true;
}

inline bool array_satisfies(const Json& root, const Json& schema, const Json& value) {
  const Json prefix = schema.value("prefixItems", Json::array());
  for (size_t i = 0; i < value.size(); ++i)
    if (!satisfies(root, i < prefix.size() ? prefix[i] : schema.value("items", Json(true)),
                   value[i]))
      return false;
  return value.size() >= schema.value("minItems", size_t{0}) &&
         value.size() <= schema.value("maxItems", size_t{100000});
}

inline bool string_satisfies(const Json& schema, const std::string& value) {
  int64_t length = 0;
  for (int64_t at = 0; at < static_cast<int64_t>(value.size()); ++length)
    at += decode_utf8(value, at).length;
  if (length < schema.value("minLength", int64_t{0}) ||
      length > schema.value("maxLength", int64_t{1} << 40))
    return false;
  if (schema.contains("format"))
    return schema["format"] == "uuid" ? value.size() == 36
                                      : value.size() >= 9 && std::isdigit(value[0]);
  return !schema.contains("pattern") ||
         std::regex_search(value, std::regex(schema["pattern"].get<std::string>()));
}

inline bool satisfies(const Json& root, const Json& schema, const Json& value) {
  if (schema.is_boolean()) return schema.get<bool>();
  if (schema.contains("$ref") &&
      !satisfies(root, root.at(Json::json_pointer(schema["$ref"].get<std::string>().substr(1))),
                 value))
    return false;
  if (schema.contains("const") && schema["const"] != value) return false;
  if (schema.contains("enum") &&
      std::find(schema["enum"].begin(), schema["enum"].end(), value) == schema["enum"].end())
    return false;
  if (schema.contains("type")) {
    const Json types = schema["type"].is_array() ? schema["type"] : Json::array({schema["type"]});
    if (std::none_of(types.begin(), types.end(),
                     [&](const Json& t) { return has_type(value, t.get<std::string>()); }))
      return false;
  }
  int64_t any = 0, one = 0;
  for (const Json& part : schema.value("anyOf", Json::array())) any += satisfies(root, part, value);
  for (const Json& part : schema.value("oneOf", Json::array())) one += satisfies(root, part, value);
  for (const Json& part : schema.value("allOf", Json::array()))
    if (!satisfies(root, part, value)) return false;
  if ((schema.contains("anyOf") && any == 0) || (schema.contains("oneOf") && one != 1))
    return false;
  if (value.is_object()) return object_satisfies(root, schema, value);
  if (value.is_array()) return array_satisfies(root, schema, value);
  if (value.is_string()) return string_satisfies(schema, value.get<std::string>());
  if (!value.is_number()) return true;
  const auto number = value.get<double>();
  return number >= schema.value("minimum", -1e300) && number <= schema.value("maximum", 1e300) &&
         number > schema.value("exclusiveMinimum", -1e300) &&
         number < schema.value("exclusiveMaximum", 1e300);
}

inline Json random_scalar_schema(Rng& rng) {
  const auto number = [&](int64_t most) {
    return static_cast<int64_t>(rng.below(static_cast<uint64_t>(most)));
  };
  switch (rng.below(9)) {
    case 0: {
      const int64_t least = number(2000) - 1000;
      return {{"type", "integer"}, {"minimum", least}, {"maximum", least + number(5000)}};
    }
    case 1:
      return {{"type", "integer"}, {"exclusiveMinimum", number(100)}};
    case 2:
      return {{"type", "number"}};
    case 3: {
      const int64_t least = number(4);
      return {{"type", "string"}, {"minLength", least}, {"maxLength", least + number(12)}};
    }
    case 4:
      return {{"type", "string"}, {"pattern", rng.below(2) ? "^[a-f]{2,4}-\\d+$" : "^x[\"y]?z"}};
    case 5:
      return {{"type", "string"}, {"format", rng.below(2) ? "date-time" : "uuid"}};
    case 6:
      return {{"enum", Json::array({"red", "초록", 3, nullptr, 2.5, Json::array({1, "a\"b"})})}};
    case 7:
      return {{"type", Json::array({"boolean", "null"})}};
    default:
      return {{"const", Json{{"kind", "fixed"}, {"n", number(10)}}}};
  }
}

inline Json random_object_schema(Rng& rng, int depth);

inline Json random_schema(Rng& rng, int depth) {
  const uint64_t kind = depth >= 3 ? 0 : rng.below(8);
  switch (kind) {
    case 1:
    case 2:
      return random_object_schema(rng, depth);
    case 3: {
      const auto least = static_cast<int64_t>(rng.below(3));
      Json schema{{"type", "array"}, {"items", random_schema(rng, depth + 1)}, {"minItems", least}};
      if (rng.below(2)) schema["maxItems"] = least + static_cast<int64_t>(rng.below(4));
      if (rng.below(3) == 0)
        schema["prefixItems"] =
            Json::array({random_schema(rng, depth + 1), random_schema(rng, depth + 1)});
      return schema;
    }
    case 4:
      return {
          {"anyOf", Json::array({random_schema(rng, depth + 1), random_schema(rng, depth + 1)})}};
    case 5:
      return {{"oneOf", Json::array({Json{{"type", "string"}}, random_object_schema(rng, depth),
                                     Json{{"type", "null"}}})}};
    case 6:
      if (depth > 0) return random_scalar_schema(rng);
      return {{"$ref", "#/$defs/node"},
              {"$defs",
               {{"node",
                 {{"type", "object"},
                  {"properties",
                   {{"value", random_scalar_schema(rng)},
                    {"next",
                     {{"anyOf",
                       Json::array({Json{{"$ref", "#/$defs/node"}}, Json{{"type", "null"}}})}}}}},
                  {"required", Json::array({"value"})}}}}}};
    case 7:
      return {{"allOf", Json::array({random_object_schema(rng, depth),
                                     Json{{"properties", {{"extra", {{"type", "integer"}}}}},
                                          {"required", Json::array({"extra"})}}})}};
    default:
      return random_scalar_schema(rng);
  }
}

inline Json random_object_schema(Rng& rng, int depth) {
  Json schema{{"type", "object"}, {"properties", Json::object()}, {"required", Json::array()}};
  const std::vector<std::string> names = {"name", "na", "나이", "a\"b", "list", "x"};
  for (const std::string& name : names) {
    if (rng.below(2)) continue;
    schema["properties"][name] = random_schema(rng, depth + 1);
    if (rng.below(2)) schema["required"].push_back(name);
  }
  return schema;
}

}  // namespace malssi
