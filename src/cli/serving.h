// A server with its models from the configuration to its end: what `malssi serve` runs, and the demo at its end.
#pragma once

#include <functional>

#include "base/console.h"
#include "cli/serve_config.h"

namespace malssi {

// Serves until SIGINT or SIGTERM, then lets answers under way end. ready() hears of the server once, when all models are there.
// Error: what check() says, an address that is taken, or a model that cannot be loaded.
void serve(const ServeConfig& config, Console& console,
           const std::function<void(const Server&)>& ready);

}  // namespace malssi
