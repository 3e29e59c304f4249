#include "base/error.h"
#include "cli/demo/demo.h"
#include "cli/demo/gains.h"
#include "cli/demo/lessons.h"
#include "cli/demo/training.h"
#include "io/adapter_file.h"
#include "io/model_folder.h"
#include "models/model.h"
#include "train/tune/lora.h"
#include "train/tune/sft.h"

namespace malssi::demo {
namespace {

// Of the adapter's weights, for each of its model's.
double weights_share(const fs::path& model, const fs::path& adapter) {
  const LoadedModel loaded = load_model(model, DType::f32);
  return static_cast<double>(open_adapter(adapter).parameter_count()) /
         static_cast<double>(loaded.model->parameter_count());
}

}  // namespace

// All weights, to see what an adapter's few can do.
std::optional<std::string> tune_tales(Demo& demo) {
  SftConfig config = demo.settings.tales;
  config.sft.model = model_of(demo, "tuned").string();
  config.sft.data = {world_file(demo, "tales").string()};
  config.train.out = (demo.folder / "tales").string();
  if (!train_or_resume(config, run_sft, demo.console)) return std::nullopt;
  const auto replies = ask_and_keep(demo, {.model = model_of(demo, "tales")}, "telling", "tales");
  if (!replies) return std::nullopt;
  return concat("right and told as a tale: ", percent(share_right(*replies)));
}

std::optional<std::string> tune_voice(Demo& demo) {
  constexpr double kGoal = 0.95;
  const fs::path base = model_of(demo, "tuned"), adapter = demo.folder / "voice" / "adapter";
  LoraConfig config = demo.settings.voice;
  config.sft.model = base.string();
  config.sft.data = {world_file(demo, "tales").string()};
  config.train.out = (demo.folder / "voice").string();
  if (!train_or_resume(config, run_lora, demo.console)) return std::nullopt;
  const auto before = ask_and_keep(demo, {.model = base}, "telling", "untold");
  if (!before) return std::nullopt;
  const auto after = ask_and_keep(demo, {.model = base, .adapter = adapter}, "telling", "voice");
  if (!after) return std::nullopt;
  const double start = share_right(*before), told = share_right(*after);
  const double most = share_right(kept_replies(demo, "tales"));
  const Gain gain{
      .lesson = "LoRA",
      .measure = "right and told as a fairy tale",
      .before = start,
      .after = told,
      .promise = "of the gain of tuning all weights",
      .reached = most > start ? (told - start) / (most - start) : 0,
      .goal = kGoal,
      .note = concat("with ", percent(weights_share(base, adapter)), " of its parameters")};
  save_gain(demo.folder, gain);
  return describe(gain);
}

}  // namespace malssi::demo
