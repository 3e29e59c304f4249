// The endpoints of the API, as handlers over exchanges: what OpenAI's clients call, /tokenize and /detokenize, and what the
// chat page asks for besides.
#pragma once

#include <vector>

#include "base/file.h"
#include "serve/http/exchange.h"
#include "serve/hub/hub.h"

namespace malssi {

struct ApiOptions {
  fs::path runs =
      {};  // a folder of training runs, for the page's view of them; empty: none are shown
  fs::path votes = {};  // a file that the page's votes are appended to; empty: they are not kept
};

// The hub must outlive them.
std::vector<Route> api_routes(Hub& hub, const ApiOptions& options = {});

}  // namespace malssi
