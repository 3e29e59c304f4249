// The commands of the program. Each add_NAME, in cmd_NAME.cc, registers a subcommand whose callback
// does the work; main.cc lists them. A callback writes results to standard output, tells what it is
// doing through the console, and throws: Error for what went wrong (exit 1), UsageError for wrong
// use (exit 2).
#pragma once

#include <CLI/CLI.hpp>

#include "base/console.h"

namespace malssi {

struct Runner {
  Console console;
  int exit_code = 0;  // what the program returns after a callback that ended well
};

void add_align(CLI::App& app, Runner& runner);
void add_align_best_of(CLI::App& align, Runner& runner);  // one of its subcommands
void add_align_grpo(CLI::App& align, Runner& runner);     // one of its subcommands
void add_align_ppo(CLI::App& align, Runner& runner);      // one of its subcommands
void add_bench(CLI::App& app, Runner& runner);
void add_chat(CLI::App& app, Runner& runner);
void add_classify(CLI::App& app, Runner& runner);
void add_convert(CLI::App& app, Runner& runner);
void add_demo(CLI::App& app, Runner& runner);
void add_embed(CLI::App& app, Runner& runner);
void add_eval(CLI::App& app, Runner& runner);
void add_generate(CLI::App& app, Runner& runner);
void add_inspect(CLI::App& app, Runner& runner);
void add_pretrain(CLI::App& app, Runner& runner);
void add_quantize(CLI::App& app, Runner& runner);
void add_resume(CLI::App& app, Runner& runner);
void add_serve(CLI::App& app, Runner& runner);
void add_tokenizer(CLI::App& app, Runner& runner);
void add_tune(CLI::App& app, Runner& runner);

}  // namespace malssi
