#include "serve/api/chat_prompt.h"

#include <algorithm>

#include "base/error.h"
#include "serve/api/messages.h"
#include "serve/api/response_format.h"
#include "serve/api/tool_grammar.h"
#include "serve/api_error.h"

namespace malssi {
namespace {

constexpr std::string_view kThink = "<think>", kThought = "</think>";

[[noreturn]] void refuse_length(const ServedModel& model, const std::string& what,
                                const std::string& field) {
  throw ApiError(400,
                 concat(what, ", but this model's context holds ", model.capacity(),
                        " tokens of prompt and answer together"),
                 field, "context_length_exceeded");
}

bool ends_thinking(const ChatTemplate& chat, std::span<const Message> messages,
                   const RenderOptions& options) {
  std::string text;
  for (const ChatPiece& piece : chat.render(messages, options)) text += piece.text;
  text.resize(text.find_last_not_of(" \t\r\n") + 1);
  return text.ends_with(kThink);
}

}  // namespace

void check_prompt_fits(const ServedModel& model, int64_t tokens, const std::string& field) {
  if (tokens >= model.capacity())
    refuse_length(model, concat("the prompt has ", tokens, " tokens"), field);
}

void check_text_fits(const ServedModel& model, int64_t bytes, const std::string& field) {
  if (bytes > model.longest_text())
    refuse_length(model, concat("the prompt has ", bytes, " bytes"), field);
}

ChatPrompt chat_prompt(const ServedModel& model, ChatRequest request) {
  check_text_fits(model, text_bytes(request.messages), "messages");
  std::string continued;
  if (request.continues) {
    if (request.messages.back().role != "assistant")
      throw ApiError(400, "continue_final_message needs a last message of the assistant",
                     "continue_final_message", "invalid_value");
    continued = std::move(request.messages.back().content);
    request.messages.pop_back();
    if (request.messages.empty())
      throw ApiError(400, "there is no message before the one to continue", "messages",
                     "invalid_value");
  }
  if (!model.has_chat())  // the reason names files, which are no client's business
    throw ApiError(
        400,
        "the model has no chat template that can be used: it is a base model, which continues "
        "text; ask /v1/completions",
        "model", "no_chat_template");
  const ChatTemplate& chat = model.chat();
  const ToolSyntax syntax = tool_syntax(chat);
  RenderOptions options{.add_generation_prompt = request.opens_turn || request.continues,
                        .variables = std::move(request.variables)};
  if (syntax.is_in_template)
    options.tools = request.tools.listed;
  else
    request.messages = with_tools_told(std::move(request.messages), request.tools.listed);
  ChatPrompt prompt;
  try {
    prompt.ids = encode_chat(model.tokenizer(), chat, request.messages, options).ids;
    prompt.form.may_think = chat.jinja().find(kThought) != std::string::npos;
    if (prompt.form.may_think)
      prompt.form.is_thinking =
          !request.continues && ends_thinking(chat, request.messages, options);
  } catch (const Error& error) {
    throw ApiError(400, error.what(), "messages", "invalid_value");
  }
  if (!continued.empty()) model.tokenizer().encode(continued, {}, prompt.ids);
  if (request.tools.given()) {
    prompt.form.tools = syntax.format;
    prompt.form.functions =
        std::make_shared<const std::vector<Tool>>(std::move(request.tools.allowed));
  }
  check_prompt_fits(model, std::ssize(prompt.ids), "messages");
  return prompt;
}

void hold_to_grammar(const ServedModel& model, const Tools& tools,
                     const std::optional<Json>& schema, const std::string& field,
                     ChatPrompt& prompt, GenerateOptions& options) {
  if (!tools.given() && !schema) return;
  const ToolFormat format = prompt.form.tools.value_or(ToolFormat::hermes);
  const Tokenizer& tokenizer = model.tokenizer();
  const auto marker = tools.given() ? marker_token(tokenizer, format) : std::nullopt;
  const bool must_call = tools.choice == ToolChoice::required;
  const bool is_lazy = marker && !must_call && !schema;
  std::string key = concat(static_cast<int>(format), static_cast<int>(tools.choice),
                           tools.is_parallel, is_lazy, schema ? dump_json(*schema) : "");
  for (const Tool& tool : tools.allowed)
    key += tools.given() ? concat("\n", tool.name, dump_json(tool.parameters)) : "";
  const auto grammar = [&] {
    if (must_call) return calls_grammar(tools, format, marker.has_value());
    std::optional<Grammar> form;
    if (schema) form = schema_grammar(*schema, field);
    if (!tools.given()) return std::move(*form);
    if (is_lazy) return calls_grammar(tools, format, true);
    return text_or_calls_grammar(tools, format, form ? &*form : nullptr);
  };
  const std::vector<int32_t> specials =
      tools.given() ? format_tokens(tokenizer, format) : std::vector<int32_t>();
  options.grammar = model.grammar(key, grammar, specials);
  if (is_lazy) options.grammar_after = *marker;
  if (!specials.empty() || (is_lazy && tokenizer.is_special(*marker))) options.show_special = true;
  const auto thought = tokenizer.token_id(kThought);
  if (prompt.form.is_thinking && !is_lazy && thought && !must_call)
    options.grammar_after = *thought;  // thoughts are free
  if (!must_call) return;
  prompt.form.is_thinking = prompt.form.may_think = false;  // the grammar holds from the start
  if (!marker) return;
  prompt.ids.push_back(*marker);
  prompt.form.is_calling = true;
}

}  // namespace malssi
