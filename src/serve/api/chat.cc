#include "serve/api/chat.h"

#include <utility>

#include "base/error.h"
#include "serve/api/answer_run.h"
#include "serve/api/chat_prompt.h"
#include "serve/api/chat_writer.h"
#include "serve/api/logprobs.h"
#include "serve/api/messages.h"
#include "serve/api/response_format.h"
#include "serve/api/sampling_fields.h"
#include "serve/api_error.h"

namespace malssi {
namespace {

ChatRequest read_chat(const Fields& request) {
  ChatRequest chat{.messages = read_messages(request, "messages"),
                   .tools = read_tools(request, ToolShape::nested)};
  if (const Json* variables = request.object("chat_template_kwargs")) chat.variables = *variables;
  chat.continues = request.boolean("continue_final_message").value_or(false);
  chat.opens_turn = request.boolean("add_generation_prompt").value_or(true);
  request.text("user");
  return chat;
}

}  // namespace

void answer_chat(Hub& hub, Call call) {
  const Fields request(call.body);
  const ServedModel& model = *call.use.model;
  ChatRequest chat = read_chat(request);
  const Tools tools = chat.tools;
  const bool continues = chat.continues;
  AnswerJob job{.options = generate_options(request, call.use, ServedModel::Use::chat)};
  job.options.logprobs = read_chat_logprobs(request);
  job.options.place = continues ? Place::inside : Place::start;
  job.answers_each = read_choices(request, hub.most_answers());
  read_max_tokens(request, {"max_completion_tokens", "max_tokens"}, job.options, model);
  const bool streams = request.boolean("stream").value_or(false);
  const bool tells_usage = read_include_usage(request, streams);
  const std::optional<Json> schema = read_response_format(request, "response_format");
  ChatPrompt prompt = chat_prompt(model, std::move(chat));
  hold_to_grammar(model, tools, schema, "response_format", prompt, job.options);
  const AnswerHead head{.id = fresh_id("chatcmpl-"),
                        .model = request.text("model").value_or(model.name()),
                        .created = now_seconds(),
                        .fingerprint = model.fingerprint()};
  const ChatAnswers answers{.head = head,
                            .form = prompt.form,
                            .count = job.answers_each,
                            .tells_logprobs = job.options.logprobs >= 0,
                            .tells_usage = tells_usage,
                            .model = call.use.model};
  job.writer = streams ? chat_stream(answers, call.exchange) : chat_reply(answers, call.exchange);
  job.prompts.push_back(std::move(prompt.ids));
  run_answers(hub, std::move(call), std::move(job));
}

}  // namespace malssi
