// What the subcommands of malssi tune share: one for each method, with its config's keys as flags.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "base/config.h"
#include "cli/commands.h"

namespace malssi {

inline constexpr const char* kRecords =
    "Records are {\"messages\": [{\"role\": .., \"content\": ..}, ..]}, ShareGPT's "
    "{\"conversations\": ..},\n"
    "{\"instruction\": .., \"input\": .., \"output\": ..} or a question and an answer, as JSON, "
    ".csv or .tsv;\n"
    "--data FILE:WEIGHT, given several times, mixes files; malssi tune preview shows what is "
    "learned. ";

template <class Config>
struct TuneCommand {
  std::string recipe;
  Config config;
  ConfigSchema schema{config};
};

// run: what trains, from a config and a console.
template <class Config, class Run>
void add_method(CLI::App& sub, Runner& runner, Run run) {
  auto command = std::make_shared<TuneCommand<Config>>();
  sub.add_option("recipe", command->recipe, "settings, as a TOML file")->type_name("RECIPE.toml");
  command->schema.add_flags(sub);
  sub.callback([command, &runner, run] {
    command->schema.load_environment();
    if (!command->recipe.empty()) command->schema.load_toml(command->recipe);
    command->schema.check();
    run(command->config, runner.console);
  });
}

// tune adapter, ia3, norms, prefix, prompt.
void add_adapter_methods(CLI::App& tune, Runner& runner);
// tune merge and tune combine.
void add_merge(CLI::App& tune, Runner& runner);

}  // namespace malssi
