// malssi demo: from nothing to a model that talks, on this machine.
#include <unistd.h>

#include <cstdio>
#include <memory>

#include "base/error.h"
#include "base/format.h"
#include "cli/chat_terminal.h"
#include "cli/commands.h"
#include "cli/demo/demo.h"
#include "cli/demo/evaluation.h"
#include "cli/demo/gains.h"
#include "cli/demo/page.h"
#include "infer/generation_defaults.h"
#include "io/adapter_file.h"
#include "models/model.h"
#include "serve/http/page.h"

namespace malssi {
namespace {

struct DemoCommand {
  std::string out = "runs/demo";
  int64_t seed = 1;
  bool quick = false;
  bool no_chat = false;
  bool strict = false;
};

struct Scores {
  std::vector<demo::Score> base, tuned;
};

Scores load_scores(const fs::path& folder) {
  const auto questions = world::load_questions(folder / "world" / "eval.jsonl");
  return {demo::scores(questions, demo::load_replies(folder / "evaluation" / "base.json")),
          demo::scores(questions, demo::load_replies(folder / "evaluation" / "tuned.json"))};
}

// Both models' share of each set, as a table.
void print_scores(const Scores& scores) {
  std::printf("%-20s %-8s %6s %6s %6s\n", "questions", "language", "asked", "base", "tuned");
  for (const demo::Score& score : scores.tuned)
    std::printf("%-20s %-8s %6lld %5.1f%% %5.1f%%\n", score.set.c_str(),
                score.language == world::Language::english ? "English" : "Korean",
                static_cast<long long>(score.asked),
                100 * demo::share_of(scores.base, score.set, score.language), 100 * score.share());
}

// What each lesson after tuning gained, and what was promised of it.
void print_gains(const std::vector<demo::Gain>& gains) {
  std::printf("\n%-13s %-36s %6s %6s  %s\n", "lesson", "questions", "before", "after", "promised");
  for (const demo::Gain& gain : gains)
    std::printf("%-13s %-36s %5.1f%% %5.1f%%  %s: %.1f%% (at least %.1f%%)%s%s\n",
                gain.lesson.c_str(), gain.measure.c_str(), 100 * gain.before, 100 * gain.after,
                gain.promise.c_str(), 100 * gain.reached, 100 * gain.goal,
                gain.note.empty() ? "" : "; ", gain.note.c_str());
  std::printf("\n");
}

void offer_chat(const fs::path& model, const fs::path& voice, Console& console) {
  LoadedModel loaded = load_model(model, best_compute_dtype());
  loaded.adapters = {{.adapter = attach_adapter(*loaded.model, voice), .weight = 0}};
  console.note(
      "talk to it, in English or Korean; /lora 1 makes it tell fairy tales, /lora 0 no more; "
      "/quit ends");
  GenerateOptions generate = generation_defaults(loaded, true);
  generate.sampling.temperature = 0;
  run_chat(loaded, {.generate = generate}, console);
}

void run(const DemoCommand& command, Runner& runner) {
  demo::Demo demo{.folder = command.out,
                  .settings = demo::settings_of(
                      command.quick ? demo::Size::quick : demo::Size::usual, command.seed),
                  .console = runner.console};
  if (!demo::run_demo(demo)) {
    runner.console.note("stopped; go on with the same command");
    return;
  }
  double seconds = 0;
  for (const demo::StageRecord& stage : demo::finished_stages(demo)) seconds += stage.seconds;
  const Scores scores = load_scores(demo.folder);
  const std::vector<demo::Gain> gains = demo::load_gains(demo.folder);
  const fs::path model = demo.folder / "model", voice = demo.folder / "voice" / "adapter";
  print_scores(scores);
  print_gains(gains);
  std::printf("stages: %s\nreport: %s\nchat:   malssi chat --model %s --lora %s:0\npage:   %s\n",
              human_seconds(seconds).c_str(), (demo.folder / "report.html").c_str(), model.c_str(),
              voice.c_str(), demo::page_command(demo.folder).c_str());
  std::fflush(stdout);
  std::vector<std::string> all_broken = demo::broken_promises(scores.base, scores.tuned);
  for (const demo::Gain& gain : gains)
    if (!gain.is_kept()) all_broken.push_back(demo::miss(gain));
  for (const std::string& broken : all_broken) {
    REQUIRE(!command.strict, "the demo misses its goal: ", broken);
    runner.console.warn(broken);
  }
  const bool at_a_terminal = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
  if (!at_a_terminal || command.no_chat) return;
  if (page_assets().empty())
    offer_chat(model, voice, runner.console);
  else
    demo::open_page(demo.folder, runner.console);
}

}  // namespace

void add_demo(CLI::App& app, Runner& runner) {
  auto command = std::make_shared<DemoCommand>();
  CLI::App* sub =
      app.add_subcommand("demo", "the whole life of a small model, from nothing to a chat page");
  sub->footer(
      "Examples:\n"
      "  malssi demo\n"
      "  malssi demo --quick --out runs/try\n"
      "Makes up a small world, trains a tokenizer and a model on texts about it, tunes the model "
      "to\n"
      "follow instructions, questions it, teaches it courtesy (DPO, PPO), thinking (GRPO) and\n"
      "fairy tales (LoRA), and writes OUT/report.html. Started again it goes on where it was\n"
      "stopped. At a terminal it ends with a page in the browser: chat, models side by side, "
      "runs.");
  sub->add_option("--out", command->out, "folder of the demo")
      ->capture_default_str()
      ->type_name("DIR");
  sub->add_option("--seed", command->seed, "decides the world and everything random")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  sub->add_flag("--quick", command->quick, "a smaller world and model, under two minutes");
  sub->add_flag("--no-chat", command->no_chat, "do not open the page at the end");
  sub->add_flag("--strict", command->strict, "fail when the tuned model misses its goals");
  sub->callback([command, &runner] { run(*command, runner); });
}

}  // namespace malssi
