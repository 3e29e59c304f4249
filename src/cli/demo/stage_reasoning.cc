#include "base/error.h"
#include "cli/demo/demo.h"
#include "cli/demo/gains.h"
#include "cli/demo/lessons.h"
#include "cli/demo/training.h"
#include "train/rl/grpo.h"
#include "train/tune/sft.h"

namespace malssi::demo {

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
  return concat("new additions right after a thought: ", percent(share_right(*replies)));
}

std::optional<std::string> align_grpo(Demo& demo) {
  GrpoConfig config = demo.settings.grpo;
  config.grpo.model = model_of(demo, "thinking").string();
  config.grpo.data = world_file(demo, "sums").string();
  config.train.out = (demo.folder / "grpo").string();
  if (!train_or_resume(config, run_grpo, demo.console)) return std::nullopt;
  const auto replies = ask_and_keep(demo, {.model = model_of(demo, "grpo")}, "thinking", "grpo");
  if (!replies) return std::nullopt;
  const double before = share_right(kept_replies(demo, "thinking")), after = share_right(*replies);
  const Gain gain{.lesson = "GRPO",
                  .measure = "new additions right after a thought",
                  .before = before,
                  .after = after,
                  .promise = "new additions right after a thought",
                  .reached = after,
                  .goal = 2 * before,
                  .note = "promised: twice its start"};
  save_gain(demo.folder, gain);
  return describe(gain);
}

}  // namespace malssi::demo
