// Chat answers as OpenAI's API tells them: whole, or as a stream of deltas.
#pragma once

#include <memory>
#include <string>

#include "serve/api/answer_parser.h"
#include "serve/api/chunk_stream.h"

namespace malssi {

struct ChatAnswers {
  AnswerHead head;
  AnswerForm form;
  int64_t count = 1;
  bool tells_logprobs = false;
  bool tells_usage = false;  // at a stream's end
  std::shared_ptr<const ServedModel> model;
};

std::shared_ptr<AnswerWriter> chat_reply(const ChatAnswers& answers,
                                         std::shared_ptr<Exchange> exchange);
std::shared_ptr<AnswerWriter> chat_stream(const ChatAnswers& answers,
                                          std::shared_ptr<Exchange> exchange);

}  // namespace malssi
