#include "base/error.h"
#include "cli/demo/demo.h"
#include "cli/demo/gains.h"
#include "cli/demo/lessons.h"
#include "cli/demo/training.h"
#include "train/align/align.h"
#include "train/run/metrics.h"
#include "train/tune/sft.h"

namespace malssi::demo {

// The model that courtesy is taught to: it answers in every manner, as what it was tuned on does.
std::optional<std::string> tune_manners(Demo& demo) {
  SftConfig config = demo.settings.manners;
  config.sft.model = model_of(demo, "tuned").string();
  config.sft.data = {world_file(demo, "manners").string()};
  config.train.out = (demo.folder / "manners").string();
  if (!train_or_resume(config, run_sft, demo.console)) return std::nullopt;
  const auto replies =
      ask_and_keep(demo, {.model = model_of(demo, "manners")}, "courtesy", "manners");
  if (!replies) return std::nullopt;
  return concat("right and polite in one go: ", percent(share_right(*replies)));
}

std::optional<std::string> train_reward(Demo& demo) {
  constexpr double kChance = 0.5, kGoal = 0.75;
  AlignConfig config = demo.settings.reward;
  config.align.model = model_of(demo, "manners").string();
  config.align.data = {world_file(demo, "choices").string()};
  config.train.out = (demo.folder / "reward").string();
  const auto result = train_or_resume(config, run_align, demo.console);
  if (!result) return std::nullopt;
  double accuracy = 0;
  for (const Metrics& line : read_metrics(demo.folder / "reward" / "metrics.jsonl"))
    if (line.step == result->state.best_step) accuracy = line.figure("val_reward_accuracy");
  const Gain gain{.lesson = "reward model",
                  .measure = "choices told right",
                  .before = kChance,
                  .after = accuracy,
                  .promise = "choices told right",
                  .reached = accuracy,
                  .goal = kGoal,
                  .note = "before: by chance"};
  save_gain(demo.folder, gain);
  return describe(gain);
}

}  // namespace malssi::demo
