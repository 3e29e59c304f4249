#include "serve/api/tool_format.h"

#include <algorithm>

#include "base/error.h"
#include "serve/api_error.h"
#include "text/grammar/grammar.h"

namespace malssi {
namespace {

bool holds(std::string_view text, std::string_view part) { return text.find(part) != text.npos; }

NodePtr one_of(std::string_view letters) {
  CharacterRanges ranges;
  for (const char c : letters) ranges.emplace_back(c, c);
  return characters(std::move(ranges));
}

NodePtr space() { return optional(literal(" ")); }
NodePtr blank() { return repeat(one_of("\n "), 0, 2); }

// {"name": "f", "arguments": {...}}
NodePtr call_node(const Tool& tool, std::string_view key, Grammar& rules) {
  Grammar arguments;
  try {
    arguments = json_schema_grammar(tool.parameters);
  } catch (const Error& error) {
    const std::string field = concat("tools[", tool.index, "].function.parameters");
    throw ApiError(400, concat(field, " (of ", tool.name, "): ", error.what()), field,
                   "invalid_schema");
  }
  return sequence({literal("{"), space(), literal("\"name\":"), space(),
                   literal(concat("\"", tool.name, "\",")), space(),
                   literal(concat("\"", key, "\":")), space(), add_rules(rules, arguments), space(),
                   literal("}")});
}

NodePtr any_call(const Tools& tools, std::string_view key, Grammar& rules) {
  std::vector<NodePtr> calls;
  for (const Tool& tool : tools.allowed) calls.push_back(call_node(tool, key, rules));
  return choice(std::move(calls));
}

// What follows the marker.
NodePtr calls_node(const Tools& tools, ToolFormat format, Grammar& rules) {
  const NodePtr call =
      any_call(tools, format == ToolFormat::llama3 ? "parameters" : "arguments", rules);
  const int64_t more = tools.is_parallel ? -1 : 0;
  if (format == ToolFormat::mistral) {
    const NodePtr next = sequence({literal(","), space(), call});
    return sequence({space(), literal("["), call, repeat(next, 0, more), literal("]")});
  }
  if (format == ToolFormat::llama3) return call;
  const NodePtr body = sequence({blank(), call, blank(), literal("</tool_call>")});
  const NodePtr next = sequence({blank(), literal("<tool_call>"), body});
  return sequence({body, repeat(next, 0, more)});
}

// Tools' names and schemas, as Hermes' models were taught to read them.
std::string told(const Json& tools) {
  std::string text =
      "You may call functions to answer. Each line between the tags describes one, with a JSON "
      "schema of its arguments:\n<tools>\n";
  for (const Json& tool : tools) text += dump_json(tool) + "\n";
  return text +
         "</tools>\nTo call one, answer with its name and arguments as JSON between tags:\n"
         "<tool_call>\n{\"name\": \"NAME\", \"arguments\": {}}\n</tool_call>";
}

std::string calls_as_text(const Json& calls) {
  std::string text;
  for (const Json& call : calls) {
    const Json& function = call["function"];
    text +=
        concat("<tool_call>\n{\"name\": ", dump_json(function["name"]),
               ", \"arguments\": ", function["arguments"].get<std::string>(), "}\n</tool_call>");
  }
  return text;
}

}  // namespace

ToolSyntax tool_syntax(const ChatTemplate& chat) {
  const std::string jinja = chat.jinja();
  if (chat.style() != "jinja" || !holds(jinja, "tools")) return {};
  if (holds(jinja, "[TOOL_CALLS]") && !holds(jinja, "[ARGS]")) return {ToolFormat::mistral, true};
  if (holds(jinja, "<tool_call>") && !holds(jinja, "<function=")) return {ToolFormat::hermes, true};
  if (holds(jinja, "<|python_tag|>") || holds(jinja, "ipython")) return {ToolFormat::llama3, true};
  return {};
}

std::string_view tool_marker(ToolFormat format) {
  switch (format) {
    case ToolFormat::hermes:
      return "<tool_call>";
    case ToolFormat::mistral:
      return "[TOOL_CALLS]";
    case ToolFormat::llama3:
      return "";
  }
  CHECK(false, "unknown format");
}

std::vector<Message> with_tools_told(std::vector<Message> messages, const Json& tools) {
  for (Message& message : messages) {
    if (message.role == "tool") {
      message.role = "user";
      message.content = concat("<tool_response>\n", message.content, "\n</tool_response>");
    }
    if (!message.tool_calls.is_null()) message.content += calls_as_text(message.tool_calls);
    message.tool_calls = nullptr;
  }
  if (tools.is_null()) return messages;
  if (messages.front().role != "system")
    messages.insert(messages.begin(), {.role = "system", .content = {}});
  std::string& system = messages.front().content;
  system += concat(system.empty() ? "" : "\n\n", told(tools));
  return messages;
}

std::optional<int32_t> marker_token(const Tokenizer& tokenizer, ToolFormat format) {
  const std::string_view marker = tool_marker(format);
  return marker.empty() ? std::nullopt : tokenizer.token_id(marker);
}

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
