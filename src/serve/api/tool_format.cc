#include "serve/api/tool_format.h"

#include "base/error.h"

namespace malssi {
namespace {

bool holds(std::string_view text, std::string_view part) { return text.find(part) != text.npos; }

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
  if (holds(jinja, "[TOOL_CALLS]"))
    return {holds(jinja, "[ARGS]") ? ToolFormat::mistral_args : ToolFormat::mistral, true};
  if (holds(jinja, "<tool_call>"))
    return {holds(jinja, "<function=") ? ToolFormat::qwen_coder : ToolFormat::hermes, true};
  if (holds(jinja, "<|python_tag|>") || holds(jinja, "ipython")) return {ToolFormat::llama3, true};
  return {};
}

std::string_view tool_marker(ToolFormat format) {
  switch (format) {
    case ToolFormat::hermes:
    case ToolFormat::qwen_coder:
      return "<tool_call>";
    case ToolFormat::mistral:
    case ToolFormat::mistral_args:
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

std::vector<int32_t> format_tokens(const Tokenizer& tokenizer, ToolFormat format) {
  std::vector<int32_t> ids;
  if (format != ToolFormat::mistral_args) return ids;
  for (const std::string_view text : {"[TOOL_CALLS]", "[CALL_ID]", "[ARGS]"})
    if (const auto id = tokenizer.token_id(text); id && tokenizer.is_special(*id))
      ids.push_back(*id);
  return ids;
}

std::optional<int32_t> marker_token(const Tokenizer& tokenizer, ToolFormat format) {
  const std::string_view marker = tool_marker(format);
  return marker.empty() ? std::nullopt : tokenizer.token_id(marker);
}

}  // namespace malssi
