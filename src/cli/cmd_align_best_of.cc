// malssi align best-of: rejection sampling.
#include <memory>

#include "base/error.h"
#include "cli/commands.h"
#include "train/rl/best_of.h"

namespace malssi {
namespace {

struct BestOfCommand {
  std::string recipe;
  BestOfConfig config;
  ConfigSchema schema{config};
};

constexpr const char* kFooter =
    "Examples:\n"
    "  malssi align best-of --model runs/chat --data sums.jsonl --samples 32 --out best.jsonl\n"
    "  malssi tune sft --model runs/chat --data best.jsonl --out runs/better\n"
    "With a larger model as --model, and the smaller one tuned on what it says, this is "
    "distillation by text.\n"
    "Prompts and rewards are those of malssi align grpo. Of each prompt the --keep best answers "
    "are written whose\n"
    "reward is above --above, as {\"messages\": [..], \"reward\": ..}.";

void run(BestOfCommand& command, Runner& runner) {
  command.schema.load_environment();
  if (!command.recipe.empty()) command.schema.load_toml(command.recipe);
  command.schema.check();
  const BestOfResult result = run_best_of(command.config, runner.console);
  const std::string& out = command.config.best_of.out;
  REQUIRE(result.finished, "stopped: ", out, " was not written");
  runner.console.note(concat(result.kept, " answers to ", result.solved, " of ", result.prompts,
                             " prompts kept in ", out));
}

}  // namespace

void add_align_best_of(CLI::App& align, Runner& runner) {
  auto command = std::make_shared<BestOfCommand>();
  CLI::App* sub = align.add_subcommand(
      "best-of", "rejection sampling: the best of many answers, as data to tune on");
  sub->footer(kFooter);
  sub->add_option("recipe", command->recipe, "settings, as a TOML file")->type_name("RECIPE.toml");
  command->schema.add_flags(*sub);
  sub->callback([command, &runner] { run(*command, runner); });
}

}  // namespace malssi
