// How a model writes a call of a tool, as its chat template shows it:
//   hermes   <tool_call>{"name": "f", "arguments": {...}}</tool_call>, any number of them (Hermes, Qwen)
//   llama3   {"name": "f", "parameters": {...}}, the whole answer (Llama 3)
//   mistral  [TOOL_CALLS][{"name": "f", "arguments": {...}}, ...] (Mistral, Nemo)
//   mistral_args  [TOOL_CALLS]f[ARGS]{...}, any number of them; [CALL_ID] and an id may stand before [ARGS] (Mistral Small 3.2,
//            Devstral, Ministral 3)
//   qwen_coder  <tool_call>, lines of <function=f>, <parameter=a>, its value (texts as they are, others as JSON), </parameter>,
//            </function>, and </tool_call>, any number of them (Qwen3-Coder, Qwen3.5, Nemotron 3)
// A template without tools gets them told in its system message, in Hermes' form.
#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "serve/api/tools.h"
#include "serve/hub/served_model.h"
#include "text/chat_template.h"

namespace malssi {

enum class ToolFormat { hermes, llama3, mistral, mistral_args, qwen_coder };

struct ToolSyntax {
  ToolFormat format = ToolFormat::hermes;
  bool is_in_template = false;  // else the tools are to be told in words
};
ToolSyntax tool_syntax(const ChatTemplate& chat);

// What a call, or several, begin with; empty: with the call itself.
std::string_view tool_marker(ToolFormat format);

// The messages with the tools told in the system message, calls and tools' answers as texts, for a template that knows no tools.
std::vector<Message> with_tools_told(std::vector<Message> messages, const Json& tools);

// The token that the marker is; nothing: it is none.
std::optional<int32_t> marker_token(const Tokenizer& tokenizer, ToolFormat format);
// Special tokens that stand inside of calls.
std::vector<int32_t> format_tokens(const Tokenizer& tokenizer, ToolFormat format);

}  // namespace malssi
