#include "serve/api/routes.h"

#include "serve/api/call.h"
#include "serve/api/chat.h"
#include "serve/api/completions.h"
#include "serve/api/embeddings.h"
#include "serve/api/models.h"
#include "serve/api/responses.h"
#include "serve/api/runs.h"
#include "serve/api/tokens.h"
#include "serve/api/votes.h"

namespace malssi {
namespace {

using Pointer = std::shared_ptr<Exchange>;

}  // namespace

std::vector<Route> api_routes(Hub& hub, const ApiOptions& options) {
  const fs::path runs = options.runs;
  const auto votes = std::make_shared<Votes>(options.votes);
  return {
      {"GET", "/v1/models", [&hub](const Pointer& exchange) { list_models(hub, *exchange); }},
      {"GET", "/v1/models/{name}", [&hub](const Pointer& exchange) { tell_model(hub, *exchange); }},
      {"POST", "/v1/models/load",
       [&hub](const Pointer& exchange) { load_model_named(hub, exchange); }},
      {"POST", "/v1/models/unload",
       [&hub](const Pointer& exchange) { unload_model_named(hub, *exchange); }},
      {"POST", "/v1/chat/completions", model_handler(hub, answer_chat)},
      {"POST", "/v1/completions", model_handler(hub, answer_completion)},
      {"POST", "/v1/embeddings", model_handler(hub, answer_embeddings)},
      {"POST", "/v1/responses", model_handler(hub, answer_response)},
      {"POST", "/tokenize", model_handler(hub, answer_tokenize)},
      {"POST", "/detokenize", model_handler(hub, answer_detokenize)},
      {"GET", "/malssi/runs",
       [runs](const Pointer& exchange) { exchange->reply(list_runs(runs)); }},
      {"GET", "/malssi/runs/{name}",
       [runs](const Pointer& exchange) { exchange->reply(tell_run(runs, exchange->request())); }},
      {"GET", "/malssi/votes",
       [votes](const Pointer& exchange) { exchange->reply(votes->state()); }},
      {"POST", "/malssi/votes",
       [votes](const Pointer& exchange) { exchange->reply(votes->add(exchange->request())); }},
  };
}

}  // namespace malssi
