// Chat answers as OpenAI's API tells them: whole, or as a stream of deltas.
#pragma once

#include <memory>
#include <string>

#include "serve/api/answer_parser.h"
#include "serve/api/answer_run.h"

namespace malssi {

// What every answer of the API begins with.
struct AnswerHead {
  std::string id, model;
  int64_t created = 0;
  std::string fingerprint = {};
};
// {"id", "object", "created", "model", "system_fingerprint"}.
Json head_json(const AnswerHead& head, std::string_view object);

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

// Whether a stream ends with the usage: "stream_options".
bool read_include_usage(const Fields& request, bool streams);

}  // namespace malssi
