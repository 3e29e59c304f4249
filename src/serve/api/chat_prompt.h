// A chat request's messages as the model's prompt.
#pragma once

#include <vector>

#include "serve/api/answer_parser.h"
#include "serve/api/tools.h"
#include "serve/hub/served_model.h"
#include "text/message.h"

namespace malssi {

struct ChatRequest {
  std::vector<Message> messages;
  Tools tools = {};
  Json variables = Json::object();  // more for the template: "chat_template_kwargs"
  // The last message is the assistant's, and the answer goes on with it.
  bool continues = false;
  bool opens_turn = true;  // the prompt ends with what begins an answer: "add_generation_prompt"
};

struct ChatPrompt {
  std::vector<int32_t> ids;
  AnswerForm form;  // how the answer is to be read
};
// ApiError 400: no chat template, a prompt that is too long (told before it is tokenised, where that is plain), or what the template
// refuses.
ChatPrompt chat_prompt(const ServedModel& model, ChatRequest request);
// ApiError 400: it leaves no room for an answer. field: whose text it is.
void check_prompt_fits(const ServedModel& model, int64_t tokens, const std::string& field);
// The same for a text that is not tokenised yet: it certainly is too long.
void check_text_fits(const ServedModel& model, int64_t bytes, const std::string& field);

// Holds the answer to the tools' and the format's grammar. schema: as read_response_format() gives it, called `field`.
void hold_to_grammar(const ServedModel& model, const Tools& tools,
                     const std::optional<Json>& schema, const std::string& field,
                     ChatPrompt& prompt, GenerateOptions& options);

}  // namespace malssi
