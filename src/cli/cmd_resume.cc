// malssi resume: goes on with a run that was stopped.
#include <memory>

#include "cli/commands.h"
#include "train/resume.h"

namespace malssi {
namespace {

struct ResumeCommand {
  std::string run;
  std::vector<std::string> settings;
};

}  // namespace

void add_resume(CLI::App& app, Runner& runner) {
  auto command = std::make_shared<ResumeCommand>();
  CLI::App* sub = app.add_subcommand("resume", "go on with a run that was stopped");
  sub->footer(
      "Examples:\n"
      "  malssi resume runs/shakespeare\n"
      "  malssi resume runs/shakespeare --set train.steps=8000\n"
      "Without --set the weights end up as if the run had never stopped, bit for bit.");
  sub->add_option("run", command->run, "the run's folder")->required()->type_name("RUN");
  sub->add_option("--set", command->settings, "change a setting; may be given several times")
      ->allow_extra_args(false)
      ->type_name("KEY=VALUE");
  sub->callback(
      [command, &runner] { resume_run(command->run, command->settings, runner.console); });
}

}  // namespace malssi
