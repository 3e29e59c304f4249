#include "base/error.h"
#include "cli/demo/demo.h"
#include "cli/demo/gains.h"
#include "cli/demo/lessons.h"
#include "cli/demo/training.h"
#include "train/rl/grpo.h"
#include "train/tune/sft.h"

namespace malssi::demo {
namespace {

constexpr std::string_view kSums = "additions after a thought",
                           kPuzzles = "puzzles after a thought";
struct Kind {
  std::string_view lesson, set, measure;
};
constexpr Kind kThinking[] = {{"GRPO", kSums, "new additions right after a thought"},
                              {"GRPO, puzzles", kPuzzles, "new puzzles right after a thought"}};

std::vector<world::Question> thinking_questions(const Demo& demo) {
  return world::load_questions(world_file(demo, "thinking"));
}

}  // namespace

// The model that GRPO begins with: it thinks first, but mostly guesses.
std::optional<std::string> tune_thinking(Demo& demo) {
  SftConfig config = demo.settings.thinking;
  config.sft.model = model_of(demo, "tuned").string();
  config.sft.data = {world_file(demo, "thoughts").string()};
  config.train.out = (demo.folder / "thinking").string();
  if (!train_or_resume(config, run_sft, demo.console)) return std::nullopt;
  const auto replies =
      ask_and_keep(demo, {.model = model_of(demo, "thinking")}, "thinking", "thinking");
  if (!replies) return std::nullopt;
  const auto told = scores(thinking_questions(demo), *replies);
  return concat("right after a thought: ", percent(share_of(told, kSums)), " of new additions, ",
                percent(share_of(told, kPuzzles)), " of new puzzles");
}

std::optional<std::string> align_grpo(Demo& demo) {
  GrpoConfig config = demo.settings.grpo;
  config.grpo.model = model_of(demo, "thinking").string();
  config.grpo.data = world_file(demo, "problems").string();
  config.train.out = (demo.folder / "grpo").string();
  if (!train_or_resume(config, run_grpo, demo.console)) return std::nullopt;
  const auto replies = ask_and_keep(demo, {.model = model_of(demo, "grpo")}, "thinking", "grpo");
  if (!replies) return std::nullopt;
  const auto questions = thinking_questions(demo);
  const auto before = scores(questions, kept_replies(demo, "thinking")),
             after = scores(questions, *replies);
  std::string told;
  for (const auto& [lesson, set, measure] : kThinking) {
    const Gain gain{.lesson = std::string(lesson),
                    .measure = std::string(measure),
                    .before = share_of(before, set),
                    .after = share_of(after, set),
                    .promise = std::string(measure),
                    .reached = share_of(after, set),
                    .goal = 2 * share_of(before, set),
                    .note = "promised: twice its start"};
    save_gain(demo.folder, gain);
    told += concat(told.empty() ? "" : "; ", describe(gain));
  }
  return told;
}

}  // namespace malssi::demo
