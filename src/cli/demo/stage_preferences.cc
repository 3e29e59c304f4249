// Both ways from choices to courtesy: directly (DPO), and through the reward model (PPO).
#include <cmath>

#include "base/error.h"
#include "cli/demo/demo.h"
#include "cli/demo/drift.h"
#include "cli/demo/gains.h"
#include "cli/demo/lessons.h"
#include "cli/demo/training.h"
#include "train/align/align.h"
#include "train/rl/ppo.h"

namespace malssi::demo {
namespace {

// Against the model that both began with.
std::optional<std::string> judge(Demo& demo, std::string_view lesson, std::string_view run) {
  constexpr double kGoal = 0.7;
  const auto replies = ask_and_keep(demo, {.model = model_of(demo, run)}, "courtesy", run);
  if (!replies) return std::nullopt;
  const auto questions = world::load_questions(world_file(demo, "courtesy"));
  const auto nats =
      drift(model_of(demo, run), model_of(demo, "manners"), questions, demo.settings.answer_tokens);
  if (!nats) return std::nullopt;
  const std::vector<Reply> before = kept_replies(demo, "manners");
  const Duels duels = duel(*replies, before);
  const Gain gain{.lesson = std::string(lesson),
                  .measure = "right, polite and concise",
                  .before = share_right(before),
                  .after = share_right(*replies),
                  .promise = "duels won, ties as halves",
                  .reached = duels.share(),
                  .goal = kGoal,
                  .note = concat(duels.won, " won, ", duels.lost, " lost, ", duels.tied,
                                 " tied; KL ", std::round(*nats * 100) / 100, " nats an answer")};
  save_gain(demo.folder, gain);
  return describe(gain);
}

}  // namespace

std::optional<std::string> align_dpo(Demo& demo) {
  AlignConfig config = demo.settings.dpo;
  config.align.model = model_of(demo, "manners").string();
  config.align.data = {world_file(demo, "choices").string()};
  config.train.out = (demo.folder / "dpo").string();
  if (!train_or_resume(config, run_align, demo.console)) return std::nullopt;
  return judge(demo, "DPO", "dpo");
}

std::optional<std::string> align_ppo(Demo& demo) {
  PpoConfig config = demo.settings.ppo;
  config.ppo.model = model_of(demo, "manners").string();
  config.ppo.reward = model_of(demo, "reward").string();
  config.ppo.data = world_file(demo, "prompts").string();
  config.train.out = (demo.folder / "ppo").string();
  if (!train_or_resume(config, run_ppo, demo.console)) return std::nullopt;
  return judge(demo, "PPO", "ppo");
}

}  // namespace malssi::demo
