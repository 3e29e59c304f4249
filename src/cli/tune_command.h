// What the subcommands of malssi tune and malssi align share: one for each method, with its config's keys as flags.
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
  explicit TuneCommand(const Config& defaults) : config(defaults) {}
  std::string recipe;
  Config config;
  ConfigSchema schema{config};
};

// An adapter has few weights, which want ten times the rate of all of them, unless another is asked for.
template <class Config>
void settle_lora_rate(bool is_lora, const ConfigSchema& schema, Config& config) {
  if (is_lora && !schema.is_set("optim.lr")) config.optim.lr *= 10;
}

// run: what trains, from a config and a console. settle(config, schema): what follows from what was asked for.
template <class Config, class Run, class Settle>
void add_method(CLI::App& sub, Runner& runner, Run run, const Config& defaults, Settle settle) {
  auto command = std::make_shared<TuneCommand<Config>>(defaults);
  sub.add_option("recipe", command->recipe, "settings, as a TOML file")->type_name("RECIPE.toml");
  command->schema.add_flags(sub);
  sub.callback([command, &runner, run, settle] {
    command->schema.load_environment();
    if (!command->recipe.empty()) command->schema.load_toml(command->recipe);
    command->schema.check();
    settle(command->config, command->schema);
    run(command->config, runner.console);
  });
}
template <class Config, class Run>
void add_method(CLI::App& sub, Runner& runner, Run run) {
  add_method(sub, runner, run, Config(), [](Config&, const ConfigSchema&) {});
}

// tune adapter, ia3, norms, prefix, prompt.
void add_adapter_methods(CLI::App& tune, Runner& runner);
// tune merge and tune combine.
void add_merge(CLI::App& tune, Runner& runner);

}  // namespace malssi
