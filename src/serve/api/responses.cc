#include "serve/api/responses.h"

#include <utility>

#include "base/error.h"
#include "serve/api/chat_prompt.h"
#include "serve/api/messages.h"
#include "serve/api/response_format.h"
#include "serve/api/response_writer.h"
#include "serve/api/sampling_fields.h"
#include "serve/api_error.h"

namespace malssi {
namespace {

constexpr int64_t kMostItems = 20'000;

void refuse_what_is_missing(const Fields& request) {
  for (const char* key : {"previous_response_id", "conversation", "prompt"})
    if (request.find(key)) request.refuse(key, "none: answers are not stored");
  if (request.boolean("background").value_or(false))
    request.refuse("background", "false: answers are not stored");
  if (const Json* tools = request.list("tools", 128); tools && !tools->empty())
    request.refuse("tools", "none: call tools by /v1/chat/completions");
}

// An item of the input: {"role", "content"}, with or without "type": "message".
Message read_item(const Fields& item) {
  item.choice("type", {"message"});
  item.need("role");
  Message message{.role = *item.choice("role", {"system", "developer", "user", "assistant"}),
                  .content = {}};
  if (message.role == "developer") message.role = "system";
  item.need("content");
  message.content = read_content(item, "content", {"input_text", "output_text", "text"});
  return message;
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
  if (!input.is_array() || input.empty()) request.refuse("input", "a text or a list of messages");
  request.list("input", kMostItems);
  for (size_t i = 0; i < input.size(); ++i)
    messages.push_back(read_item(Fields(input[i], concat("input[", i, "]"))));
  return messages;
}

Json echoed(const Fields& request, const GenerateOptions& options) {
  const auto or_null = [&](const char* key) {
    const Json* value = request.find(key);
    return value ? *value : Json();
  };
  Json json;
  json["instructions"] = or_null("instructions");
  json["max_output_tokens"] = or_null("max_output_tokens");
  json["metadata"] = request.find("metadata") ? *request.object("metadata") : Json::object();
  json["temperature"] = options.sampling.temperature;
  json["top_p"] = options.sampling.top_p;
  return json;
}

}  // namespace

void answer_response(Hub& hub, Call call) {
  const Fields request(call.body);
  const ServedModel& model = *call.use.model;
  refuse_what_is_missing(request);
  ChatRequest chat{.messages = read_input(request)};
  AnswerJob job{.options = generate_options(request, call.use, ServedModel::Use::chat)};
  read_max_tokens(request, {"max_output_tokens"}, job.options, model);
  std::optional<Json> schema;
  if (const Json* text = request.object("text"))
    schema = read_response_format(Fields(*text, "text"), "format");
  const bool streams = request.boolean("stream").value_or(false);
  ChatPrompt prompt = chat_prompt(model, std::move(chat));
  hold_to_grammar(model, {}, schema, "text.format.schema", prompt, job.options);
  Json settings = echoed(request, job.options);
  settings["text"]["format"] = {{"type", "text"}};
  if (schema) settings["text"]["format"] = call.body["text"]["format"];
  ResponseAnswer answer{.id = fresh_id("resp_"),
                        .item = fresh_id("msg_"),
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
