#include "serve/api/responses.h"

#include <utility>

#include "base/error.h"
#include "serve/api/chat_prompt.h"
#include "serve/api/messages.h"
#include "serve/api/response_format.h"
#include "serve/api/response_writer.h"
#include "serve/api/sampling_fields.h"
#include "serve/api/tools.h"
#include "serve/api_error.h"

namespace malssi {
namespace {

constexpr int64_t kMostItems = 20'000;

void refuse_what_is_missing(const Fields& request) {
  for (const char* key : {"previous_response_id", "conversation", "prompt"})
    if (request.find(key)) request.refuse(key, "none: answers are not stored");
  if (request.boolean("background").value_or(false))
    request.refuse("background", "false: answers are not stored");
}

// {"role", "content"}, with or without "type": "message".
Message read_message(const Fields& item) {
  item.need("role");
  Message message{.role = *item.choice("role", {"system", "developer", "user", "assistant"}),
                  .content = {}};
  if (message.role == "developer") message.role = "system";
  item.need("content");
  message.content = read_content(item, "content", {"input_text", "output_text", "text"});
  return message;
}

// {"call_id", "name", "arguments"}, as chat lists it.
Json read_call(const Fields& item) {
  Json call;
  call["id"] = item.need_text("call_id");
  call["type"] = "function";
  call["function"]["name"] = item.need_text("name");
  call["function"]["arguments"] = item.need_text("arguments");
  return call;
}

// Calls belong to the assistant's message before them, or are one without words.
void add_call(std::vector<Message>& messages, Json call) {
  if (messages.empty() || messages.back().role != "assistant")
    messages.push_back({.role = "assistant", .content = {}});
  Json& calls = messages.back().tool_calls;
  if (calls.is_null()) calls = Json::array();
  calls.push_back(std::move(call));
}

void add_item(std::vector<Message>& messages, const Fields& item) {
  const std::string type =
      item.choice("type", {"message", "function_call", "function_call_output"}).value_or("message");
  if (type == "message") return messages.push_back(read_message(item));
  if (type == "function_call") return add_call(messages, read_call(item));
  Message output{.role = "tool", .content = {}};
  output.tool_call_id = item.need_text("call_id");
  item.need("output");
  output.content = read_content(item, "output", {"input_text", "output_text", "text"});
  messages.push_back(std::move(output));
}

std::vector<Message> read_input(const Fields& request) {
  std::vector<Message> messages;
  if (const auto instructions = request.text("instructions"))
    messages.push_back({.role = "system", .content = *instructions});
  const Json& input = request.need("input");
  if (input.is_string()) {
    messages.push_back({.role = "user", .content = input.get<std::string>()});
    return messages;
  }
  if (!input.is_array() || input.empty()) request.refuse("input", "a text or a list of items");
  request.list("input", kMostItems);
  for (size_t i = 0; i < input.size(); ++i)
    add_item(messages, Fields(input[i], concat("input[", i, "]")));
  return messages;
}

Json echoed(const Fields& request, const GenerateOptions& options) {
  request.object("metadata");
  const auto given_or = [&](const char* key, const Json& otherwise) {
    const Json* value = request.find(key);
    return value ? *value : otherwise;
  };
  Json json;
  json["instructions"] = given_or("instructions", nullptr);
  json["max_output_tokens"] = given_or("max_output_tokens", nullptr);
  json["metadata"] = given_or("metadata", Json::object());
  json["temperature"] = options.sampling.temperature;
  json["top_p"] = options.sampling.top_p;
  json["tools"] = given_or("tools", Json::array());
  json["tool_choice"] = given_or("tool_choice", "auto");
  json["parallel_tool_calls"] = given_or("parallel_tool_calls", true);
  return json;
}

}  // namespace

void answer_response(Hub& hub, Call call) {
  const Fields request(call.body);
  const ServedModel& model = *call.use.model;
  refuse_what_is_missing(request);
  const Tools tools = read_tools(request, ToolShape::flat);
  ChatRequest chat{.messages = read_input(request), .tools = tools};
  AnswerJob job{.options = generate_options(request, call.use, ServedModel::Use::chat)};
  read_max_tokens(request, {"max_output_tokens"}, job.options, model);
  std::optional<Json> schema;
  if (const Json* text = request.object("text"))
    schema = read_response_format(Fields(*text, "text"), "format");
  const bool streams = request.boolean("stream").value_or(false);
  ChatPrompt prompt = chat_prompt(model, std::move(chat));
  hold_to_grammar(model, tools, schema, "text.format.schema", prompt, job.options);
  Json settings = echoed(request, job.options);
  settings["text"]["format"] = {{"type", "text"}};
  if (schema) settings["text"]["format"] = call.body["text"]["format"];
  ResponseAnswer answer{.id = fresh_id("resp_"),
                        .model = request.text("model").value_or(model.name()),
                        .created = now_seconds(),
                        .settings = std::move(settings),
                        .form = prompt.form};
  job.writer = streams ? response_stream(std::move(answer), call.exchange)
                       : response_reply(std::move(answer), call.exchange);
  job.prompts.push_back(std::move(prompt.ids));
  run_answers(hub, std::move(call), std::move(job));
}

}  // namespace malssi
