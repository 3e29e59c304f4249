#include "serve/api/tool_parameters.h"

#include <algorithm>
#include <array>

namespace malssi {
namespace {

constexpr int kMostReferences = 16;  // one to another
constexpr std::array<const char*, 2> kDefinitions = {"$defs", "definitions"};

const Json* member(const Json& json, std::string_view key) {
  const auto found = json.is_object() ? json.find(key) : json.end();
  return found == json.end() ? nullptr : &*found;
}

// What "#/$defs/NAME" means in the root.
const Json* definition(const Json& root, const std::string& reference) {
  for (const char* const where : kDefinitions) {
    const std::string begin = std::string("#/") + where + "/";
    const Json* all = member(root, where);
    if (all && reference.starts_with(begin)) return member(*all, reference.substr(begin.size()));
  }
  return nullptr;
}

// The schema that is meant, where it refers to another; null: there is none.
const Json* resolved(const Json& root, const Json* schema) {
  for (int i = 0; schema && i < kMostReferences; ++i) {
    const Json* reference = member(*schema, "$ref");
    if (!reference || !reference->is_string()) return schema;
    schema = definition(root, reference->get<std::string>());
  }
  return nullptr;
}

// The texts that a schema lists.
std::vector<std::string> words_of(const Json& schema) {
  std::vector<std::string> words;
  const Json *listed = member(schema, "enum"), *one = member(schema, "const");
  if (listed && listed->is_array())
    for (const Json& word : *listed)
      if (word.is_string()) words.push_back(word.get<std::string>());
  if (one && one->is_string()) words = {one->get<std::string>()};
  return words;
}

bool is_text(const Json& schema) {
  if (const Json* type = member(schema, "type")) return *type == "string";
  const Json* listed = member(schema, "enum");
  if (listed && words_of(schema).size() != listed->size()) return false;
  return !words_of(schema).empty();
}

}  // namespace

std::optional<std::vector<ToolParameter>> tool_parameters(const Tool& tool) {
  const Json& root = tool.parameters;
  const Json* properties = member(root, "properties");
  if (!properties || !properties->is_object()) return std::nullopt;
  const Json* required = member(root, "required");
  std::vector<ToolParameter> all;
  for (const auto& [name, schema] : properties->items()) {
    ToolParameter one{.name = name, .schema = schema};
    if (const Json* meant = resolved(root, &schema); meant && is_text(*meant)) {
      one.is_text = true;
      one.words = words_of(*meant);
    }
    one.is_required = required && required->is_array() &&
                      std::find(required->begin(), required->end(), name) != required->end();
    for (const char* const where : kDefinitions)
      if (const Json* shared = member(root, where); shared && one.schema.is_object())
        one.schema[where] = *shared;
    all.push_back(std::move(one));
  }
  return all;
}

bool has_text_parameter(const std::vector<Tool>& functions, std::string_view function,
                        std::string_view parameter) {
  const auto tool = std::find_if(functions.begin(), functions.end(),
                                 [&](const Tool& one) { return one.name == function; });
  if (tool == functions.end()) return false;
  const Json* properties = member(tool->parameters, "properties");
  const Json* schema = properties ? member(*properties, parameter) : nullptr;
  schema = resolved(tool->parameters, schema);
  return schema && is_text(*schema);
}

}  // namespace malssi
