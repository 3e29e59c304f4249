// An answer as OpenAI's responses API tells it: whole, or as a stream of named events in OpenAI's order. Its output is what the
// model says, as messages, and the functions it calls, in the order they come; thoughts are left out.
#pragma once

#include <memory>
#include <string>

#include "serve/api/answer_parser.h"
#include "serve/api/answer_run.h"

namespace malssi {

struct ResponseAnswer {
  std::string id;
  std::string model;
  int64_t created = 0;
  Json settings = Json::object();  // the request's own, told again
  AnswerForm form = {};
};

std::shared_ptr<AnswerWriter> response_reply(ResponseAnswer answer,
                                             std::shared_ptr<Exchange> exchange);
std::shared_ptr<AnswerWriter> response_stream(ResponseAnswer answer,
                                              std::shared_ptr<Exchange> exchange);

}  // namespace malssi
