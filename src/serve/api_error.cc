#include "serve/api_error.h"

#include "base/json.h"

namespace malssi {
namespace {

const char* type_of(int status) {
  switch (status) {
    case 401:
      return "authentication_error";
    case 403:
      return "permission_error";
    case 404:
      return "not_found_error";
    case 429:
      return "rate_limit_error";
    default:
      return status < 500 ? "invalid_request_error" : "server_error";
  }
}

}  // namespace

ApiError shutting_down() { return {503, "the server is shutting down", {}, "shutting_down"}; }

HttpReply error_reply(const ApiError& error) {
  const auto or_null = [](const std::string& text) { return text.empty() ? Json() : Json(text); };
  Json told;
  told["message"] = error.what();
  told["type"] = type_of(error.status);
  told["param"] = or_null(error.param);
  told["code"] = or_null(error.code);
  Json body;
  body["error"] = std::move(told);
  HttpReply reply = {.status = error.status, .body = dump_json(body)};
  if (error.status == 429 || error.status == 503) reply.headers.emplace_back("retry-after", "1");
  return reply;
}

HttpReply error_reply(const std::exception& error) {
  if (const auto* told = dynamic_cast<const ApiError*>(&error)) return error_reply(*told);
  if (const auto* ours = dynamic_cast<const Error*>(&error))
    return error_reply(ApiError(400, ours->what()));
  return error_reply(ApiError(500, "the server failed to answer this request; its log says more"));
}

}  // namespace malssi
