#include <algorithm>
#include <map>

#include "base/error.h"
#include "text/grammar/json_nodes.h"
#include "text/grammar/json_schema.h"

namespace malssi {
namespace {

constexpr int kMaxDepth = 64;
constexpr size_t kMaxRules = 20'000;
constexpr size_t kMaxSize = 1 << 20;
constexpr int64_t kMaxCount = 10'000;
constexpr size_t kMaxParts = 256;  // of allOf, anyOf, oneOf, with those that references bring
constexpr int64_t kMaxNodes =
    50'000;  // schemas looked at; each reference beside others is looked at anew

constexpr std::string_view kKeywords[] = {"type",
                                          "enum",
                                          "const",
                                          "properties",
                                          "required",
                                          "items",
                                          "prefixItems",
                                          "minItems",
                                          "maxItems",
                                          "additionalProperties",
                                          "minLength",
                                          "maxLength",
                                          "pattern",
                                          "format",
                                          "minimum",
                                          "maximum",
                                          "exclusiveMinimum",
                                          "exclusiveMaximum",
                                          "anyOf",
                                          "oneOf",
                                          "allOf",
                                          "$ref"};

const NodePtr& comma() {
  static const NodePtr node = sequence({literal(","), optional(literal(" "))});
  return node;
}

class SchemaCompiler {
 public:
  explicit SchemaCompiler(const Json& root) : root_(root) {
    REQUIRE(dump_json(root).size() <= kMaxSize, "schema: more than ", kMaxSize, " bytes");
    rules_.emplace_back();
    rules_[0] = node(root, "schema", 0);
  }
  Grammar take() { return {.rules = std::move(rules_)}; }

 private:
  int32_t reserve() {
    REQUIRE(rules_.size() < kMaxRules, "schema: it needs more than ", kMaxRules, " rules");
    rules_.emplace_back();
    return static_cast<int32_t>(rules_.size()) - 1;
  }
  NodePtr as_rule(NodePtr node) {
    const int32_t number = reserve();
    rules_[static_cast<size_t>(number)] = std::move(node);
    return rule(number);
  }

  NodePtr node(const Json& schema, const std::string& where, int depth) {
    REQUIRE(depth < kMaxDepth, where, ": nested deeper than ", kMaxDepth, " levels");
    REQUIRE(++nodes_ <= kMaxNodes, "schema: more than ", kMaxNodes, " schemas inside it");
    if (schema.is_boolean()) {
      REQUIRE(schema.get<bool>(), where, ": the schema false allows nothing");
      return any();
    }
    REQUIRE(schema.is_object(), where, ": it is ", json_kind(schema), ", expected an object");
    for (const auto& [keyword, value] : schema.get_ref<const Json::object_t&>())
      REQUIRE(
          schema::is_annotation(keyword) ||
              std::find(std::begin(kKeywords), std::end(kKeywords), keyword) != std::end(kKeywords),
          where, ": the keyword \"", keyword, "\" is not supported");
    if (schema.contains("$ref")) return referred(schema, where, depth);
    for (const char* keyword : {"allOf", "anyOf", "oneOf"})
      if (schema.contains(keyword)) return combined(schema, keyword, where, depth);
    if (schema.contains("const") || schema.contains("enum")) return listed(schema, where);
    return typed(schema, where, depth);
  }

  bool restricts(const Json& schema) const {
    const auto& members = schema.get_ref<const Json::object_t&>();
    return std::any_of(members.begin(), members.end(),
                       [](const auto& member) { return !schema::is_annotation(member.first); });
  }

  NodePtr referred(const Json& schema, const std::string& where, int depth) {
    const auto reference = get<std::string>(schema, "$ref", where);
    Json rest = schema;
    rest.erase("$ref");
    const Json& target = schema::resolve(root_, reference);
    if (restricts(rest)) return node(schema::merge(root_, target, rest, where), where, depth + 1);
    const auto known = references_.find(reference);
    if (known != references_.end()) return rule(known->second);
    const int32_t number = reserve();
    references_[reference] = number;
    NodePtr made = node(target, concat("schema ", reference), depth + 1);
    rules_[static_cast<size_t>(number)] = std::move(made);
    return rule(number);
  }

  NodePtr combined(const Json& schema, const std::string& keyword, const std::string& where,
                   int depth) {
    Json base = schema;
    base.erase(keyword);
    const Json& parts = schema[keyword];
    REQUIRE(parts.is_array() && !parts.empty(), where, ": \"", keyword,
            "\" must be a list of schemas");
    REQUIRE(parts.size() <= kMaxParts, where, ": \"", keyword, "\" lists more than ", kMaxParts,
            " schemas, with those that $ref brings");
    if (keyword == "allOf") {
      for (const Json& part : parts) base = schema::merge(root_, base, part, where);
      return node(base, where, depth + 1);
    }
    if (keyword == "oneOf") check_disjoint(parts, where);
    std::vector<NodePtr> ways;
    for (const Json& part : parts) {
      const std::string place = concat(where, "/", keyword, "/", ways.size());
      const bool alone = !restricts(base);
      ways.push_back(
          as_rule(node(alone ? part : schema::merge(root_, base, part, place), place, depth + 1)));
    }
    return choice(std::move(ways));
  }

  void check_disjoint(const Json& parts, const std::string& where) const {
    for (size_t i = 0; i < parts.size(); ++i)
      for (size_t j = 0; j < i; ++j)
        REQUIRE(schema::disjoint(root_, parts[i], parts[j]), where,
                ": a value might satisfy \"oneOf\" ", j, " and ", i,
                " at once: make their types, or a required const, differ, or use anyOf");
  }

  static bool is_of(const Json& value, const std::string& type) {
    if (type == "integer") return value.is_number_integer();
    if (type == "number") return value.is_number();
    if (type == "string") return value.is_string();
    if (type == "boolean") return value.is_boolean();
    if (type == "array") return value.is_array();
    return type == "object" ? value.is_object() : value.is_null();
  }

  std::vector<std::string> types(const Json& schema, const std::string& where) const {
    const Json type = get_or<Json>(schema, "type", Json(), where);
    const Json list = type.is_array() ? type : Json::array({type});
    constexpr std::string_view kKnown[] = {"object", "array",   "string", "integer",
                                           "number", "boolean", "null"};
    std::vector<std::string> names;
    for (const Json& name : list) {
      REQUIRE(name.is_string() && std::find(std::begin(kKnown), std::end(kKnown),
                                            name.get<std::string>()) != std::end(kKnown),
              where, ": \"type\" ", dump_json(name), " is unknown");
      names.push_back(name.get<std::string>());
    }
    REQUIRE(!names.empty(), where, ": \"type\" is an empty list");
    return names;
  }

  NodePtr listed(const Json& schema, const std::string& where) {
    Json values = schema.contains("const") ? Json::array({schema["const"]}) : schema["enum"];
    REQUIRE(values.is_array() && values.size() <= kMaxRules, where, ": \"enum\" must be a list");
    for (const auto& [keyword, value] : schema.get_ref<const Json::object_t&>())
      REQUIRE(schema::is_annotation(keyword) || keyword == "type" || keyword == "enum" ||
                  keyword == "const",
              where, ": \"", keyword, "\" beside \"enum\" or \"const\" is not supported");
    const bool limited = schema.contains("enum") && schema["enum"].is_array();
    std::vector<NodePtr> ways;
    for (const Json& value : values) {
      if (limited &&
          std::find(schema["enum"].begin(), schema["enum"].end(), value) == schema["enum"].end())
        continue;
      bool fits = !schema.contains("type");
      if (!fits)
        for (const std::string& type : types(schema, where)) fits = fits || is_of(value, type);
      if (fits) ways.push_back(literal(dump_json(value)));
    }
    REQUIRE(!ways.empty(), where, ": no value of \"enum\" or \"const\" is left");
    return choice(std::move(ways));
  }

  // The type that a schema without one speaks about; "": none.
  static std::string implied_type(const Json& schema) {
    const std::pair<const char*, const char*> kImplied[] = {{"properties", "object"},
                                                            {"required", "object"},
                                                            {"additionalProperties", "object"},
                                                            {"items", "array"},
                                                            {"prefixItems", "array"},
                                                            {"minItems", "array"},
                                                            {"maxItems", "array"},
                                                            {"minLength", "string"},
                                                            {"maxLength", "string"},
                                                            {"pattern", "string"},
                                                            {"format", "string"},
                                                            {"minimum", "integer"},
                                                            {"maximum", "integer"},
                                                            {"exclusiveMinimum", "integer"},
                                                            {"exclusiveMaximum", "integer"}};
    for (const auto& [keyword, type] : kImplied)
      if (schema.contains(keyword)) return type;
    return "";
  }

  NodePtr typed(const Json& schema, const std::string& where, int depth) {
    if (!schema.contains("type")) {
      const std::string type = implied_type(schema);
      return type.empty() ? any() : of_type(type, schema, where, depth);
    }
    std::vector<NodePtr> ways;
    for (const std::string& type : types(schema, where))
      ways.push_back(of_type(type, schema, where, depth));
    return choice(std::move(ways));
  }

  NodePtr of_type(const std::string& type, const Json& schema, const std::string& where,
                  int depth) {
    if (type == "object") return object(schema, where, depth);
    if (type == "array") return array(schema, where, depth);
    if (type == "string") return string(schema, where);
    if (type == "integer") return integer(schema, where);
    if (type == "number") return number(schema, where);
    if (type == "boolean") return choice({literal("true"), literal("false")});
    return literal("null");
  }

  int64_t count(const Json& schema, std::string_view keyword, int64_t fallback,
                const std::string& where) const {
    const auto value = get_or<int64_t>(schema, keyword, fallback, where);
    REQUIRE(value == fallback || (value >= 0 && value <= kMaxCount), where, ": \"", keyword,
            "\" is ", value, ", expected 0 to ", kMaxCount);
    return value;
  }

  NodePtr string(const Json& schema, const std::string& where) const {
    const int64_t least = count(schema, "minLength", 0, where),
                  most = count(schema, "maxLength", -1, where);
    REQUIRE(most < 0 || least <= most, where, ": \"minLength\" is above \"maxLength\"");
    const bool pattern = schema.contains("pattern"), format = schema.contains("format");
    REQUIRE(pattern + format + (least > 0 || most >= 0) <= 1, where,
            ": of \"pattern\", \"format\" and a length only one is supported");
    if (pattern) return json_pattern(get<std::string>(schema, "pattern", where));
    if (format) return json_format(get<std::string>(schema, "format", where));
    return json_string(least, most);
  }

  static std::optional<int64_t> whole(const Json& schema, std::string_view keyword,
                                      const std::string& where) {
    if (!schema.contains(keyword)) return std::nullopt;
    return get<int64_t>(schema, keyword, where);
  }

  NodePtr integer(const Json& schema, const std::string& where) const {
    constexpr int64_t kMost = 1'000'000'000'000'000'000;
    std::optional<int64_t> least = whole(schema, "minimum", where),
                           most = whole(schema, "maximum", where);
    const auto above = whole(schema, "exclusiveMinimum", where),
               below = whole(schema, "exclusiveMaximum", where);
    if (above) least = std::max(least.value_or(-kMost), std::min(*above, kMost) + 1);
    if (below) most = std::min(most.value_or(kMost), std::max(*below, -kMost) - 1);
    return json_integer(least, most);
  }

  NodePtr number(const Json& schema, const std::string& where) const {
    for (const char* keyword : {"maximum", "exclusiveMinimum", "exclusiveMaximum"})
      REQUIRE(!schema.contains(keyword), where, ": \"", keyword,
              "\" of a number that is no integer is not supported");
    const Json least = get_or<Json>(schema, "minimum", Json(), where);
    REQUIRE(least.is_null() || (least.is_number() && least.get<double>() == 0), where,
            ": \"minimum\" of a number that is no integer can only be 0");
    return json_number(least.is_null() ? Sign::any : Sign::plus);
  }

  NodePtr array(const Json& schema, const std::string& where, int depth) {
    const int64_t least = count(schema, "minItems", 0, where);
    int64_t most = count(schema, "maxItems", -1, where);
    const Json prefix = get_or<Json>(schema, "prefixItems", Json::array(), where);
    const Json items = get_or<Json>(schema, "items", Json(true), where);
    REQUIRE(prefix.is_array() && prefix.size() <= 100, where,
            ": \"prefixItems\" must be a list of at most 100");
    const auto fixed = static_cast<int64_t>(prefix.size());
    if (items == Json(false)) most = most < 0 ? fixed : std::min(most, fixed);
    REQUIRE(most < 0 || least <= most, where, ": no list has ", least, " to ", most, " items");
    NodePtr rest = sequence({});  // from item `fixed` on
    if (most < 0 || most > fixed) {
      const NodePtr item = as_rule(node(items, where + "/items", depth + 1));
      const int64_t low = std::max<int64_t>(least - fixed, 0), high = most < 0 ? -1 : most - fixed;
      rest = repeated_items(item, low, high, fixed == 0);
    }
    for (int64_t i = std::min(fixed, most < 0 ? fixed : most) - 1; i >= 0; --i) {
      const std::string place = concat(where, "/prefixItems/", i);
      NodePtr item = as_rule(node(prefix[static_cast<size_t>(i)], place, depth + 1));
      rest = i == 0 ? sequence({item, rest}) : sequence({comma(), item, rest});
      if (i >= least) rest = optional(rest);
    }
    return sequence({literal("["), rest, literal("]")});
  }

  static NodePtr repeated_items(const NodePtr& item, int64_t least, int64_t most, bool first) {
    const NodePtr next = sequence({comma(), item});
    if (!first) return repeat(next, least, most);
    if (most == 0) return sequence({});
    const NodePtr some =
        sequence({item, repeat(next, std::max<int64_t>(least - 1, 0), most < 0 ? -1 : most - 1)});
    return least > 0 ? some : optional(some);
  }

  static NodePtr member(const NodePtr& name, NodePtr value) {
    return sequence({name, literal(":"), optional(literal(" ")), std::move(value)});
  }

  struct Member {
    NodePtr node;
    bool required;
  };

  std::vector<Member> members(const Json& schema, const std::string& where, int depth,
                              std::vector<std::string>& names) {
    const Json properties = get_or<Json>(schema, "properties", Json::object(), where);
    const auto required = get_or<std::vector<std::string>>(schema, "required", {}, where);
    REQUIRE(properties.is_object(), where, ": \"properties\" must be an object");
    const auto is_required = [&](const std::string& name) {
      return std::find(required.begin(), required.end(), name) != required.end();
    };
    std::vector<Member> out;
    const auto add = [&](const std::string& name, const Json& value) {
      if (value == Json(false) && !is_required(name)) return names.push_back(name);
      NodePtr made = node(value, concat(where, "/properties/", name), depth + 1);
      out.push_back(
          {as_rule(member(literal(dump_json(Json(name))), std::move(made))), is_required(name)});
      names.push_back(name);
    };
    for (const auto& [name, value] : properties.get_ref<const Json::object_t&>()) add(name, value);
    const Json others = get_or<Json>(schema, "additionalProperties", Json(true), where);
    for (const std::string& name : required)
      if (std::find(names.begin(), names.end(), name) == names.end()) add(name, others);
    return out;
  }

  NodePtr object(const Json& schema, const std::string& where, int depth) {
    std::vector<std::string> names;
    const std::vector<Member> listed = members(schema, where, depth, names);
    const Json others =
        get_or<Json>(schema, "additionalProperties", Json(!schema.contains("properties")), where);
    NodePtr other;  // a member with another name
    if (others != Json(false))
      other = as_rule(
          member(json_other_name(names), node(others, where + "/additionalProperties", depth + 1)));
    // after[i]: what may follow once some member stands and the first i are decided.
    std::vector<NodePtr> after(listed.size() + 1);
    after.back() = other ? as_rule(repeat(sequence({comma(), other}), 0, -1)) : sequence({});
    for (size_t i = listed.size(); i-- > 0;) {
      NodePtr next = sequence({comma(), listed[i].node});
      if (!listed[i].required) next = optional(next);
      after[i] = as_rule(sequence({next, after[i + 1]}));
    }
    std::vector<NodePtr> ways;
    bool may_be_empty = true;
    for (size_t i = 0; i < listed.size() && may_be_empty; ++i) {
      ways.push_back(sequence({listed[i].node, after[i + 1]}));
      may_be_empty = !listed[i].required;
    }
    if (may_be_empty) {
      if (other) ways.push_back(sequence({other, after.back()}));
      ways.push_back(sequence({}));
    }
    return sequence({literal("{"), choice(std::move(ways)), literal("}")});
  }

  // Any JSON value.
  NodePtr any() {
    if (any_ >= 0) return rule(any_);
    any_ = reserve();
    const NodePtr value = rule(any_);
    const NodePtr pair = as_rule(member(json_string(0, -1), value));
    const NodePtr pairs = sequence({pair, repeat(sequence({comma(), pair}), 0, -1)});
    NodePtr made =
        choice({sequence({literal("{"), optional(pairs), literal("}")}),
                sequence({literal("["), repeated_items(value, 0, -1, true), literal("]")}),
                json_string(0, -1), json_number(Sign::any), literal("true"), literal("false"),
                literal("null")});
    rules_[static_cast<size_t>(any_)] = std::move(made);
    return value;
  }

  const Json& root_;
  std::vector<NodePtr> rules_;
  int64_t nodes_ = 0;
  std::map<std::string, int32_t> references_;
  int32_t any_ = -1;
};

}  // namespace

Grammar json_schema_grammar(const Json& schema) { return SchemaCompiler(schema).take(); }

}  // namespace malssi
