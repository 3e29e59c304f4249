// Schemas that refer to each other: pointers, and what satisfies two at once.
#include <algorithm>
#include <set>

#include "base/error.h"
#include "text/grammar/json_schema.h"

namespace malssi::schema {
namespace {

constexpr int kMaxDepth = 64;

// Lists what is in both.
Json shared(const Json& a, const Json& b) {
  Json out = Json::array();
  for (const Json& x : a)
    if (std::find(b.begin(), b.end(), x) != b.end()) out.push_back(x);
  return out;
}

Json as_list(const Json& value) { return value.is_array() ? value : Json::array({value}); }

bool same_names(const Json& a, const Json& b) {
  const auto names = [](const Json& schema) {
    std::set<std::string> out;
    if (schema.contains("properties") && schema["properties"].is_object())
      for (const auto& [name, value] : schema["properties"].get_ref<const Json::object_t&>())
        out.insert(name);
    return out;
  };
  return names(a) == names(b);
}

Json merged_value(const std::string& keyword, const Json& a, const Json& b,
                  const std::string& where) {
  const bool numbers = a.is_number() && b.is_number();
  if (numbers && (keyword.starts_with("min") || keyword == "exclusiveMinimum"))
    return std::max(a, b);
  if (numbers && (keyword.starts_with("max") || keyword == "exclusiveMaximum"))
    return std::min(a, b);
  if (keyword == "type") {
    Json types = shared(as_list(a), as_list(b));
    const auto has = [](const Json& list, const char* type) {
      return std::find(list.begin(), list.end(), type) != list.end();
    };
    if ((has(as_list(a), "integer") && has(as_list(b), "number")) ||
        (has(as_list(a), "number") && has(as_list(b), "integer")))
      if (!has(types, "integer")) types.push_back("integer");
    REQUIRE(!types.empty(), where, ": no type satisfies all of allOf");
    return types;
  }
  if (keyword == "enum" && a.is_array() && b.is_array()) return shared(a, b);
  if (keyword == "required" && a.is_array() && b.is_array()) {
    Json all = a;
    for (const Json& name : b)
      if (std::find(all.begin(), all.end(), name) == all.end()) all.push_back(name);
    return all;
  }
  if (keyword == "properties" && a.is_object() && b.is_object()) {
    Json all = a;
    for (const auto& [name, value] : b.get_ref<const Json::object_t&>())
      all[name] = all.contains(name) ? Json{{"allOf", Json::array({all[name], value})}} : value;
    return all;
  }
  if (keyword == "items") return Json{{"allOf", Json::array({a, b})}};
  throw Error(concat(where, ": \"", keyword,
                     "\" is given twice, in allOf or beside $ref or anyOf, and "
                     "the two cannot be merged"));
}

}  // namespace

bool is_annotation(std::string_view keyword) {
  constexpr std::string_view kKnown[] = {"title",      "description", "default", "examples",
                                         "example",    "$schema",     "$id",     "$comment",
                                         "readOnly",   "writeOnly",   "$defs",   "definitions",
                                         "deprecated", "$anchor",     "id"};
  return std::find(std::begin(kKnown), std::end(kKnown), keyword) != std::end(kKnown);
}

const Json& resolve(const Json& root, const std::string& reference) {
  REQUIRE(reference.starts_with('#'), "schema: $ref \"", reference,
          "\" points outside: only #/... is supported");
  std::string path = reference.substr(1);
  if (path == "/") path = "";
  try {
    const Json& found = root.at(Json::json_pointer(path));
    return found;
  } catch (const Json::exception&) {
    throw Error(concat("schema: $ref \"", reference, "\" points to nothing"));
  }
}

Json merge(const Json& root, const Json& a, const Json& b, const std::string& where, int depth) {
  REQUIRE(depth < kMaxDepth, where, ": schemas refer to each other without end");
  if (a.is_boolean()) return a.get<bool>() ? b : a;
  if (b.is_boolean()) return b.get<bool>() ? a : b;
  REQUIRE(a.is_object() && b.is_object(), where, ": a schema is ", json_kind(a.is_object() ? b : a),
          ", expected an object");
  for (const Json* one : {&a, &b}) {
    if (!one->contains("$ref")) continue;
    Json rest = *one;
    rest.erase("$ref");
    const Json whole =
        merge(root, resolve(root, get<std::string>(*one, "$ref", where)), rest, where, depth + 1);
    return one == &a ? merge(root, whole, b, where, depth + 1)
                     : merge(root, a, whole, where, depth + 1);
  }
  const bool closed = a.contains("additionalProperties") || b.contains("additionalProperties");
  REQUIRE(!closed || a.empty() || b.empty() || same_names(a, b) ||
              (!a.contains("properties") && !a.contains("additionalProperties")) ||
              (!b.contains("properties") && !b.contains("additionalProperties")),
          where, ": \"additionalProperties\" beside other properties in allOf is not supported");
  Json out = a;
  for (const auto& [keyword, value] : b.get_ref<const Json::object_t&>()) {
    if (is_annotation(keyword)) continue;
    if (keyword == "allOf" && out.contains(keyword))
      for (const Json& one : value) out[keyword].push_back(one);
    else if (!out.contains(keyword) || out[keyword] == value)
      out[keyword] = value;
    else
      out[keyword] = merged_value(keyword, out[keyword], value, where);
  }
  return out;
}

bool disjoint(const Json& root, const Json& a, const Json& b) {
  const auto plain = [&](const Json* schema) {
    for (int i = 0; i < kMaxDepth && schema->is_object() && schema->contains("$ref"); ++i) {
      const Json& reference = schema->at("$ref");
      if (!reference.is_string()) break;
      schema = &resolve(root, reference.get<std::string>());
    }
    return schema;
  };
  const Json &x = *plain(&a), &y = *plain(&b);
  if (!x.is_object() || !y.is_object()) return false;
  const auto values = [](const Json& schema) {
    if (schema.contains("const")) return Json::array({schema["const"]});
    return schema.contains("enum") && schema["enum"].is_array() ? schema["enum"] : Json();
  };
  const Json of_x = values(x), of_y = values(y);
  if (of_x.is_array() && of_y.is_array()) return shared(of_x, of_y).empty();
  if (x.contains("type") && y.contains("type")) {
    Json types = as_list(x["type"]), others = as_list(y["type"]);
    for (Json* list : {&types, &others})
      for (Json& type : *list)
        if (type == "integer") type = "number";
    if (shared(types, others).empty()) return true;
  }
  const auto requires_name = [](const Json& schema, const std::string& name) {
    return schema.contains("required") && schema["required"].is_array() &&
           std::find(schema["required"].begin(), schema["required"].end(), name) !=
               schema["required"].end();
  };
  if (!x.contains("properties") || !y.contains("properties") || !x["properties"].is_object())
    return false;
  for (const auto& [name, value] : x["properties"].get_ref<const Json::object_t&>()) {
    if (!requires_name(x, name) || !requires_name(y, name) || !y["properties"].contains(name))
      continue;
    const Json one = values(value), other = values(y["properties"][name]);
    if (one.is_array() && other.is_array() && shared(one, other).empty()) return true;
  }
  return false;
}

}  // namespace malssi::schema
