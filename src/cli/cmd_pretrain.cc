// malssi pretrain: from text to a base model.
#include <memory>

#include "base/file.h"
#include "cli/commands.h"
#include "train/pretrain/pretrain.h"

namespace malssi {
namespace {

struct PretrainCommand {
  std::string recipe;
  std::vector<std::string> data;
  PretrainConfig config;
  ConfigSchema schema{config};
};

void run(PretrainCommand& command, Runner& runner) {
  command.schema.load_environment();
  if (!command.recipe.empty()) command.schema.load_toml(command.recipe);
  if (!command.data.empty()) command.config.data.paths = command.data;
  command.schema.check();
  run_pretrain(command.config, runner.console);
}

}  // namespace

void add_pretrain(CLI::App& app, Runner& runner) {
  auto command = std::make_shared<PretrainCommand>();
  CLI::App* sub = app.add_subcommand("pretrain", "train a base model on text");
  sub->footer(
      "Examples:\n"
      "  malssi pretrain recipes/shakespeare-char-cpu.toml --data tinyshakespeare.txt --out "
      "runs/s\n"
      "  malssi pretrain recipes/llama-15m.toml --data stories/ --set train.steps=2000 --out "
      "runs/t\n"
      "  malssi pretrain --data notes.txt --layers 6 --width 256 --heads 8 --out runs/notes\n"
      "  malssi pretrain --from runs/notes --context 2048 --data books/ --out runs/longer\n"
      "The finished model is OUT/model; a run that was stopped goes on with: malssi resume OUT");
  sub->add_option("recipe", command->recipe, "settings, as a TOML file (see recipes/)")
      ->type_name("RECIPE.toml");
  sub->add_option("--data", command->data,
                  "text files, JSON Lines, or folders of them; may be given several times")
      ->allow_extra_args(false)
      ->type_name("PATH");
  command->schema.add_flags(*sub);
  sub->callback([command, &runner] { run(*command, runner); });
}

}  // namespace malssi
