// malssi: one program for the whole life of a language model. Reads the command line and runs one
// command.
#include <algorithm>
#include <cstdio>
#include <exception>
#include <iostream>
#include <new>

#include "base/error.h"
#include "base/nearest.h"
#include "base/parallel.h"
#include "cli/commands.h"

namespace malssi {
namespace {

// In the order of --help. One line for each command.
void add_commands(CLI::App& app, Runner& runner) {
  add_demo(app, runner);
  add_pretrain(app, runner);
  add_resume(app, runner);
  add_tune(app, runner);
  add_align(app, runner);
  add_generate(app, runner);
  add_chat(app, runner);
  add_serve(app, runner);
  add_classify(app, runner);
  add_embed(app, runner);
  add_eval(app, runner);
  add_tokenizer(app, runner);
  add_convert(app, runner);
  add_quantize(app, runner);
  add_inspect(app, runner);
  add_bench(app, runner);
}

void add_global_flags(CLI::App& app, Runner& runner) {
  app.set_version_flag("--version", "malssi " MALSSI_VERSION);
  app.add_flag_callback(
      "--quiet", [&runner] { runner.console.set_quiet(true); }, "tell only warnings and errors");
  app.add_option_function<int>(
         "--threads", [](int count) { set_default_thread_count(count); },
         "threads that compute (default: all cores)")
      ->check(CLI::Range(1, 1024))
      ->envname("MALSSI_THREADS");
}

std::vector<const CLI::App*> commands_of(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App*) { return true; });
}

void let_global_flags_follow(CLI::App& app) {
  for (CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    command->fallthrough();
    let_global_flags_follow(*command);
  }
}

// The deepest command that the command line reached, and what was typed to get there.
std::pair<const CLI::App*, std::string> reached(const CLI::App& app) {
  std::pair<const CLI::App*, std::string> at = {&app, "malssi"};
  while (!at.first->get_subcommands().empty()) {
    at.first = at.first->get_subcommands().front();
    at.second += " " + at.first->get_name();
  }
  return at;
}

// What could have been meant at this place: the commands below it and the flags from here upwards.
std::vector<std::string> known_words(const CLI::App& app) {
  std::vector<std::string> words;
  for (const CLI::App* command : commands_of(app)) words.push_back(command->get_name());
  for (const CLI::App* level = &app; level; level = level->get_parent())
    for (const CLI::Option* option : level->get_options())
      for (const std::string& name : option->get_lnames()) words.push_back("--" + name);
  return words;
}

// CLI11's complaint in one line that says what to do.
std::string explained(const CLI::App& app, const CLI::ParseError& problem) {
  const auto [command, typed] = reached(app);
  std::string message = problem.what();
  std::string hint;
  const std::vector<std::string> extras = app.remaining(true);
  const bool unknown = dynamic_cast<const CLI::ExtrasError*>(&problem) ||
                       dynamic_cast<const CLI::RequiredError*>(&problem);
  if (unknown && !extras.empty()) {  // a mistyped word also makes what it stood for missing
    const std::string word = extras.front().substr(0, extras.front().find('='));
    const bool expects_command = !commands_of(*command).empty();
    message = word.starts_with('-') ? "unknown flag"
              : expects_command     ? "unknown command"
                                    : "unexpected argument";
    message += " '" + word + "'";
    hint = did_you_mean(word, known_words(*command));
  }
  std::replace(message.begin(), message.end(), '\n', ' ');
  return message + (hint.empty() ? "; see " + typed + " --help" : hint);
}

int fail(std::string_view kind, std::string_view message, int code) {
  std::cout.flush();
  std::fflush(stdout);
  std::fprintf(stderr, "%.*s: %.*s\n", static_cast<int>(kind.size()), kind.data(),
               static_cast<int>(message.size()), message.data());
  return code;
}

int run(int argc, char** argv) {
  CLI::App app{"Malssi: train, tune, measure and talk to language models on this machine.",
               "malssi"};
  app.require_subcommand(1);
  app.get_formatter()->column_width(32);
  Runner runner;
  add_global_flags(app, runner);
  add_commands(app, runner);
  let_global_flags_follow(app);
  if (argc == 1) {
    std::cerr << app.help();
    return 2;
  }
  try {
    app.parse(argc, argv);               // runs the command's callback
  } catch (const CLI::Success& asked) {  // --help, --version
    app.exit(asked);
  } catch (const CLI::ParseError& problem) {
    runner.console.end_progress();
    return fail("error", explained(app, problem), 2);
  } catch (...) {
    runner.console.end_progress();
    throw;
  }
  runner.console.end_progress();
  std::cout.flush();
  REQUIRE(std::cout && std::fflush(stdout) == 0 && !std::ferror(stdout),
          "standard output cannot be written");
  return runner.exit_code;
}

}  // namespace
}  // namespace malssi

int main(int argc, char** argv) {
  using malssi::fail;
  try {
    return malssi::run(argc, argv);
  } catch (const malssi::UsageError& error) {
    return fail("error", error.what(), 2);
  } catch (const malssi::Error& error) {
    return fail("error", error.what(), 1);
  } catch (const std::bad_alloc&) {
    return fail("error",
                "out of memory: make the model, batch or context smaller, or close other programs",
                1);
  } catch (const std::exception& error) {
    return fail("internal error", error.what(), 1);
  }
}
