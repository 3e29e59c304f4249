// malssi resume: goes on with a run that was stopped.
#include <cstdlib>
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
      "  malssi resume runs/shakespeare --threads 4\n"
      "Without --set the weights end up as if the run had never stopped, bit for bit.");
  sub->add_option("run", command->run, "the run's folder")->required()->type_name("RUN");
  sub->add_option("--set", command->settings, "change a setting; may be given several times")
      ->allow_extra_args(false)
      ->type_name("KEY=VALUE");
  const CLI::Option* const threads = app.get_option("--threads");
  sub->callback([command, threads, &runner] {
    std::vector<std::string> settings = command->settings;
    // What the environment says does not change a run.
    const char* const usual = std::getenv(threads->get_envname().c_str());
    if (threads->count() > 0 && (!usual || threads->results().back() != usual))
      settings.push_back("train.threads=" + threads->results().back());
    resume_run(command->run, settings, runner.console);
  });
}

}  // namespace malssi
