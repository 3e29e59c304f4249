#include "serve/api/tool_grammar.h"

#include "base/error.h"
#include "serve/api/tool_parameters.h"
#include "serve/api_error.h"

namespace malssi {
namespace {

NodePtr one_of(std::string_view letters) {
  CharacterRanges ranges;
  for (const char c : letters) ranges.emplace_back(c, c);
  return characters(std::move(ranges));
}

NodePtr space() { return optional(literal(" ")); }
NodePtr blank() { return repeat(one_of("\n "), 0, 2); }

NodePtr json_node(const Tool& tool, const Json& schema, Grammar& rules) {
  try {
    return add_rules(rules, json_schema_grammar(schema));
  } catch (const Error& error) {
    throw ApiError(400, concat(tool.field, " (of ", tool.name, "): ", error.what()), tool.field,
                   "invalid_schema");
  }
}

// {"name": "f", "arguments": {...}}
NodePtr object_node(const Tool& tool, std::string_view key, Grammar& rules) {
  return sequence({literal("{"), space(), literal("\"name\":"), space(),
                   literal(concat("\"", tool.name, "\",")), space(),
                   literal(concat("\"", key, "\":")), space(),
                   json_node(tool, tool.parameters, rules), space(), literal("}")});
}

// f[ARGS]{...}
NodePtr named_node(const Tool& tool, Grammar& rules) {
  const NodePtr letter = characters({{'0', '9'}, {'A', 'Z'}, {'a', 'z'}});
  const NodePtr id = sequence({literal("[CALL_ID]"), repeat(letter, 9, 9)});
  return sequence({literal(tool.name), optional(id), literal("[ARGS]"), space(),
                   json_node(tool, tool.parameters, rules)});
}

constexpr std::string_view kParameterEnd = "\n</parameter>";

NodePtr any_words() { return text_without(kParameterEnd); }

// A text's own words, of which a schema may list those that are allowed.
NodePtr words_node(const ToolParameter& text) {
  std::vector<NodePtr> words;
  for (const std::string& word : text.words) words.push_back(literal(word));
  return words.empty() ? any_words() : choice(std::move(words));
}

NodePtr parameter_node(NodePtr name, NodePtr value) {
  return sequence({literal("<parameter="), std::move(name), literal(">\n"), std::move(value),
                   literal(kParameterEnd), literal("\n")});
}

// <function=f> and its parameters, in the schema's order.
NodePtr tagged_node(const Tool& tool, Grammar& rules) {
  std::vector<NodePtr> parts = {literal(concat("<function=", tool.name, ">\n"))};
  if (const auto parameters = tool_parameters(tool)) {
    for (const ToolParameter& one : *parameters) {
      const NodePtr node = parameter_node(
          literal(one.name), one.is_text ? words_node(one) : json_node(tool, one.schema, rules));
      parts.push_back(one.is_required ? node : optional(node));
    }
  } else {
    const NodePtr letter = characters(complement({{'\n', '\n'}, {'<', '<'}, {'>', '>'}}));
    parts.push_back(repeat(parameter_node(repeat(letter, 1, 64), any_words()), 0, -1));
  }
  parts.push_back(literal("</function>"));
  return sequence(std::move(parts));
}

NodePtr call_node(const Tool& tool, ToolFormat format, Grammar& rules) {
  switch (format) {
    case ToolFormat::mistral_args:
      return named_node(tool, rules);
    case ToolFormat::qwen_coder:
      return tagged_node(tool, rules);
    case ToolFormat::llama3:
      return object_node(tool, "parameters", rules);
    case ToolFormat::hermes:
    case ToolFormat::mistral:
      return object_node(tool, "arguments", rules);
  }
  CHECK(false, "unknown format");
}

// What follows the marker.
NodePtr calls_node(const Tools& tools, ToolFormat format, Grammar& rules) {
  std::vector<NodePtr> calls;
  for (const Tool& tool : tools.allowed) calls.push_back(call_node(tool, format, rules));
  const NodePtr call = choice(std::move(calls));
  const int64_t more = tools.is_parallel ? -1 : 0;
  if (format == ToolFormat::mistral) {
    const NodePtr next = sequence({literal(","), space(), call});
    return sequence({space(), literal("["), call, repeat(next, 0, more), literal("]")});
  }
  if (format == ToolFormat::llama3) return call;
  if (format == ToolFormat::mistral_args)
    return sequence({call, repeat(sequence({literal("[TOOL_CALLS]"), call}), 0, more)});
  const NodePtr body = sequence({blank(), call, blank(), literal("</tool_call>")});
  const NodePtr next = sequence({blank(), literal("<tool_call>"), body});
  return sequence({body, repeat(next, 0, more)});
}

}  // namespace

Grammar calls_grammar(const Tools& tools, ToolFormat format, bool is_after_marker) {
  Grammar grammar;
  grammar.rules.emplace_back();
  const NodePtr calls = calls_node(tools, format, grammar);
  const NodePtr begin = is_after_marker ? literal("") : literal(tool_marker(format));
  grammar.rules[0] = sequence({begin, calls});
  return grammar;
}

Grammar text_or_calls_grammar(const Tools& tools, ToolFormat format, const Grammar* other) {
  Grammar grammar;
  grammar.rules.emplace_back();
  const NodePtr calls =
      sequence({literal(tool_marker(format)), calls_node(tools, format, grammar)});
  if (other) {
    const NodePtr instead = add_rules(grammar, *other);
    grammar.rules[0] = choice({instead, calls});
  } else if (format == ToolFormat::llama3) {
    const NodePtr first = characters(complement({{'\n', '\n'}, {' ', ' '}, {'{', '{'}}));
    const NodePtr text = sequence({first, repeat(characters(complement({})), 0, -1)});
    grammar.rules[0] = sequence({blank(), choice({calls, text})});
  } else {
    grammar.rules[0] = sequence({text_without(tool_marker(format)), optional(calls)});
  }
  return grammar;
}

}  // namespace malssi
