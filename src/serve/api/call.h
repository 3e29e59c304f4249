// What all endpoints that need a model begin with: a place in the queue, the body as JSON, and the model it names. Short requests
// are read where they arrive, long ones and those with schemas on the hub's worker.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/json.h"
#include "serve/http/exchange.h"
#include "serve/hub/hub.h"

namespace malssi {

struct Call {
  std::shared_ptr<Exchange> exchange;
  Hub::Ticket ticket;  // kept until the answer is over
  Json body;
  ModelUse use;
};

// handle may throw until it has begun an answer; what it throws becomes the reply.
Handler model_handler(Hub& hub, std::function<void(Hub&, Call)> handle);
// The body of a request. ApiError: it is not application/json, or no JSON object.
Json read_body(const HttpRequest& request);
// Does it; what it throws becomes the reply.
void answer_or_refuse(Exchange& exchange, const std::function<void()>& answer);

HttpReply json_reply(const Json& body);
// "chatcmpl-" and 24 random letters and digits.
std::string fresh_id(std::string_view prefix, int64_t length = 24);
// Seconds since 1970.
int64_t now_seconds();

}  // namespace malssi
