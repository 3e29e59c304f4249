// What a client is told when its request cannot be done, in the shape of OpenAI's errors. A handler throws it before it has
// begun an answer; the server turns it (and an Error, as 400; anything else, as 500) into the reply.
#pragma once

#include <stdexcept>
#include <string>

#include "serve/http/exchange.h"

namespace malssi {

class ApiError : public std::runtime_error {
 public:
  // param: the field at fault, as "messages[2].content"; empty: none. code: a word for machines, as "model_not_found".
  ApiError(int status, const std::string& message, std::string param = {}, std::string code = {})
      : std::runtime_error(message),
        status(status),
        param(std::move(param)),
        code(std::move(code)) {}

  const int status;
  const std::string param, code;
};

// 503: the server ends, and begins nothing more.
ApiError shutting_down();

// {"error": {"message", "type", "param", "code"}} with the status; 429 and 503 say when to come back.
HttpReply error_reply(const ApiError& error);
// For an exception of any kind; what is not meant for a client's eyes becomes a plain 500.
HttpReply error_reply(const std::exception& error);

}  // namespace malssi
