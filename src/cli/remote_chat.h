// `malssi chat` and `malssi generate` with a model behind another server.
#pragma once

#include <string>

#include "base/console.h"
#include "serve/remote/remote_model.h"

namespace malssi {

// Reads messages from standard input, line by line, and streams answers to standard output, until the input ends or /quit. Ctrl-C
// stops an answer. With piped input a failure is an Error; on a terminal it is told and the conversation goes on.
void run_remote_chat(const RemoteModel& model, const RemoteOptions& options,
                     const std::string& system, Console& console);

}  // namespace malssi
