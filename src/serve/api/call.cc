#include "serve/api/call.h"

#include <ctime>
#include <random>

#include "base/error.h"
#include "base/random.h"
#include "serve/api/fields.h"
#include "serve/api_error.h"

namespace malssi {
namespace {

// Of bodies that are parsed and tokenised on the thread that received them.
constexpr size_t kShort = 16 << 10;

// A grammar may take long to compile.
bool takes_long(const Json& body) {
  return body.contains("tools") || body.contains("response_format") || body.contains("text");
}

void handle_call(Hub& hub, const std::function<void(Hub&, Call)>& handle,
                 const std::shared_ptr<Call>& call) {
  answer_or_refuse(*call->exchange, [&] {
    const std::string name = Fields(call->body).text("model").value_or("");
    hub.use(name, [&hub, handle, call](ModelUse use, std::exception_ptr error) {
      answer_or_refuse(*call->exchange, [&] {
        if (error) std::rethrow_exception(error);
        call->use = std::move(use);
        handle(hub, std::move(*call));
      });
    });
  });
}

}  // namespace

void answer_or_refuse(Exchange& exchange, const std::function<void()>& answer) {
  try {
    answer();
  } catch (const std::exception& error) {
    exchange.reply(error_reply(error));
  }
}

Json read_body(const HttpRequest& request) {
  const auto type = request.headers.find("content-type");
  const std::string_view expected = "application/json";
  if (type == request.headers.end() || !type->second.starts_with(expected))
    throw ApiError(415, concat("the content type is not ", expected,
                               ": send JSON with the header \"content-type: application/json\""));
  Json body = parse_json(request.body, "the request's body");
  const Fields is_object(body);
  return body;
}

Handler model_handler(Hub& hub, std::function<void(Hub&, Call)> handle) {
  return [&hub, handle = std::move(handle)](std::shared_ptr<Exchange> exchange) {
    auto call = std::make_shared<Call>();
    call->exchange = exchange;
    call->ticket = hub.admit();
    if (exchange->request().body.size() > kShort)
      return hub.work([&hub, handle, call] {
        answer_or_refuse(*call->exchange, [&] {
          call->body = read_body(call->exchange->request());
          handle_call(hub, handle, call);
        });
      });
    call->body = read_body(exchange->request());
    if (takes_long(call->body)) return hub.work([=, &hub] { handle_call(hub, handle, call); });
    handle_call(hub, handle, call);
  };
}

HttpReply json_reply(const Json& body) { return {.body = dump_json(body)}; }

std::string fresh_id(std::string_view prefix, int64_t length) {
  constexpr std::string_view kLetters =
      "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  thread_local Rng rng(uint64_t{std::random_device{}()} << 32 | std::random_device{}());
  std::string id(prefix);
  for (int64_t i = 0; i < length; ++i)
    id += kLetters[static_cast<size_t>(rng.below(std::ssize(kLetters)))];
  return id;
}

int64_t now_seconds() { return static_cast<int64_t>(std::time(nullptr)); }

}  // namespace malssi
