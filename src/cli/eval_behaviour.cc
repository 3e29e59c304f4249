#include "cli/eval_behaviour.h"

#include <cstdio>
#include <memory>

#include "base/error.h"
#include "base/json.h"
#include "eval/behaviour.h"

namespace malssi {
namespace {

struct BehaviourCommand {
  std::string recipe;
  BehaviourConfig config;
  ConfigSchema schema{config};
  bool json = false;
};

constexpr const char* kFooter =
    "Examples:\n"
    "  malssi eval behaviour --base runs/chat --model runs/liked --prompts prompts.jsonl\n"
    "  malssi eval behaviour --base runs/chat --model runs/rl --prompts sums.jsonl --use "
    "model=1,exact=0 \\\n"
    "    --reward-model runs/judge --json\n"
    "Both models answer the same prompts. Counted are refusals (English, Korean), answers that are "
    "empty, never\n"
    "end, end in a loop or are in another language than the prompt, their length, how much they "
    "repeat, and the\n"
    "divergence from the base on the model's own answers; with an \"answer\" in the records also "
    "what is right, and\n"
    "with a reward whether it rises while less is right. A line warns of each that has become "
    "worse.";

void print_change(const BehaviourChange& change) {
  std::printf("%-18s %12s %12s\n", "", "before", "after");
  for (const BehaviourRow& row : behaviour_rows(change.before, change.after))
    std::printf("%-18s %12s %12s\n", row.name.c_str(), row.before.c_str(), row.after.c_str());
  for (const std::string& finding : change.findings) std::printf("warning: %s\n", finding.c_str());
}

void run(BehaviourCommand& command, Runner& runner) {
  command.schema.load_environment();
  if (!command.recipe.empty()) command.schema.load_toml(command.recipe);
  command.schema.check();
  const BehaviourChange change = measure_behaviour(command.config, runner.console);
  REQUIRE(change.finished, "stopped: nothing was measured");
  if (!command.json) return print_change(change);
  const Json json = {{"prompts", change.prompts},
                     {"before", to_json(change.before)},
                     {"after", to_json(change.after)},
                     {"findings", change.findings}};
  std::printf("%s\n", dump_json(json, 2).c_str());
}

}  // namespace

void add_eval_behaviour(CLI::App& eval, Runner& runner) {
  auto command = std::make_shared<BehaviourCommand>();
  CLI::App* sub =
      eval.add_subcommand("behaviour", "what has become worse from one model to the next");
  sub->footer(kFooter);
  sub->add_option("recipe", command->recipe, "settings, as a TOML file")->type_name("RECIPE.toml");
  command->schema.add_flags(*sub);
  sub->add_flag("--json", command->json, "print JSON");
  sub->callback([command, &runner] { run(*command, runner); });
}

}  // namespace malssi
