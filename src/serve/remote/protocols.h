// The protocols of remote models: OpenAI's chat completions, Anthropic's messages, Gemini's generateContent, all streamed as
// server-sent events.
#pragma once

#include <span>
#include <string>

#include "base/json.h"
#include "serve/http/exchange.h"
#include "serve/remote/remote_model.h"

namespace malssi {

struct RemoteRequest {
  std::string path;  // behind the base URL
  HttpHeaders headers;
  Json body;
};
RemoteRequest remote_request(const RemoteModel& model, std::span<const Message> messages,
                             const RemoteOptions& options);
// Adds an event to the answer. Error: an error that the event tells, or members of the wrong type.
void read_remote_event(RemoteKind kind, const Json& event, RemoteAnswer& answer);

}  // namespace malssi
