// The conversation that `malssi chat` holds, and that the demo ends with.
#pragma once

#include <optional>
#include <string>

#include "base/console.h"
#include "cli/speculation_flags.h"
#include "infer/reply.h"
#include "io/model_folder.h"

namespace malssi {

struct ChatTerminalOptions {
  GenerateOptions generate;  // generation_defaults(loaded, for_chat)
  std::string system = {};
  int64_t context = 0;              // tokens to remember; 0: the model's context
  std::optional<DType> cache = {};  // what keys and values are kept in
  Speculation speculation = {};
};

// Reads messages from standard input, line by line, and streams answers to standard output until the input ends or
// /quit. On a terminal it shows a prompt; Ctrl-C stops the answer. With piped input a line that cannot be answered is an
// Error; on a terminal it is told and the conversation goes on.
void run_chat(const LoadedModel& loaded, ChatTerminalOptions options, Console& console);

}  // namespace malssi
