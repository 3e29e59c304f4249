// malssi tune: from a base model to one that follows instructions. One subcommand for each method.
#include <memory>

#include "cli/commands.h"
#include "train/sft.h"

namespace malssi {
namespace {

struct SftCommand {
  std::string recipe;
  SftConfig config;
  ConfigSchema schema{config};
};

void run(SftCommand& command, Runner& runner) {
  command.schema.load_environment();
  if (!command.recipe.empty()) command.schema.load_toml(command.recipe);
  command.schema.check();
  run_sft(command.config, runner.console);
}

void add_sft(CLI::App& tune, Runner& runner) {
  auto command = std::make_shared<SftCommand>();
  CLI::App* sub = tune.add_subcommand("sft", "train all weights on conversations");
  sub->footer(
      "Examples:\n"
      "  malssi tune sft --model runs/base/model --data chats.jsonl --out runs/chat\n"
      "  malssi tune sft --model DIR --data train.jsonl --val held-out.jsonl --epochs 2 --lr 1e-4 "
      "\\\n"
      "    --out runs/chat\n"
      "Records are {\"messages\": [{\"role\": .., \"content\": ..}, ..]} or {\"instruction\": ..,\n"
      "\"input\": .., \"output\": ..}. The finished model is OUT/model; a run that was stopped "
      "goes\n"
      "on with: malssi resume OUT");
  sub->add_option("recipe", command->recipe, "settings, as a TOML file")->type_name("RECIPE.toml");
  command->schema.add_flags(*sub);
  sub->callback([command, &runner] { run(*command, runner); });
}

}  // namespace

void add_tune(CLI::App& app, Runner& runner) {
  CLI::App* tune = app.add_subcommand("tune", "teach a model to follow instructions");
  tune->footer("Example: malssi tune sft --model DIR --data chats.jsonl --out runs/chat");
  tune->require_subcommand(1);
  add_sft(*tune, runner);
}

}  // namespace malssi
