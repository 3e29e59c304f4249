// GET /v1/models and /v1/models/{name}, POST /v1/models/load and /v1/models/unload. Besides OpenAI's fields a model has "loaded",
// "bytes", "adapters" and "chats": whether it has a chat template, null until it was first loaded.
#pragma once

#include <memory>

#include "serve/http/exchange.h"
#include "serve/hub/hub.h"

namespace malssi {

// Models, and adapters as "model:adapter".
void list_models(Hub& hub, Exchange& exchange);
void tell_model(Hub& hub, Exchange& exchange);
// {"model": name}; answers when it is loaded.
void load_model_named(Hub& hub, const std::shared_ptr<Exchange>& exchange);
void unload_model_named(Hub& hub, Exchange& exchange);

}  // namespace malssi
