// The demo's last stage: its three models (as pretrained, tuned, and taught courtesy) in the chat page, side by side.
#pragma once

#include <string>

#include "base/console.h"
#include "base/file.h"
#include "cli/serve_config.h"

namespace malssi::demo {

// Of the models in a finished demo's folder, at any free port of this machine, with the demo's runs.
ServeConfig page_config(const fs::path& folder);
// The same as a command line.
std::string page_command(const fs::path& folder);
// Serves the page, opens it in the browser where there is a desktop, and tells its address, until Ctrl-C.
void open_page(const fs::path& folder, Console& console);

}  // namespace malssi::demo
