#include "cli/demo/settings.h"

namespace malssi::demo {
namespace {

void set_course(Settings& settings, int64_t base_steps, int64_t tuned_steps) {
  PretrainConfig& base = settings.base;
  base.train.steps = base_steps;
  base.train.batch_rows = 24;
  base.train.eval_every = base_steps / 4;
  base.train.checkpoint_every = base_steps / 4;
  base.optim = {.lr = 4e-3, .warmup_steps = base_steps / 25, .beta2 = 0.98, .weight_decay = 0.05};
  SftConfig& tuned = settings.tuned;
  tuned.train.steps = tuned_steps;
  tuned.train.batch_rows = 24;
  tuned.train.eval_every = tuned_steps / 4;
  tuned.train.checkpoint_every = tuned_steps / 4;
  tuned.optim = {.lr = 3e-3,
                 .schedule = "linear",
                 .warmup_steps = tuned_steps / 25,
                 .beta2 = 0.98,
                 .weight_decay = 0.05};
}

void set_common(Settings& settings, int64_t seed) {
  settings.world.world.seed = static_cast<uint64_t>(seed);
  settings.base.train.seed = settings.tuned.train.seed = seed;
  ModelSettings& model = settings.base.model;
  model.layers = 4;
  model.heads = 4;
  model.width = 128;
  model.hidden = 352;
  model.context = 192;
  settings.base.data.mode = "epoch";
  settings.tuned.sft.val_fraction = 0.02;
  settings.tuned.sft.chat_template = "malssi";
}

}  // namespace

Settings settings_of(Size size, int64_t seed) {
  Settings settings;
  set_common(settings, seed);
  if (size == Size::usual) {
    settings.world.world.people = 24;
    settings.world.world.places = 8;
    settings.world.documents = 16000;
    set_course(settings, 600, 600);
    return settings;
  }
  settings.world.world.people = 8;
  settings.world.world.places = 4;
  settings.world.documents = 5000;
  settings.world.chats.sums = 2000;
  settings.world.questions = {.facts = 200, .sums = 100, .others = 30};
  settings.vocabulary = 1000;
  settings.base.model.width = 96;
  settings.base.model.layers = 3;
  set_course(settings, 250, 400);
  return settings;
}

Json Settings::to_json() const {
  Settings copy = *this;
  return {{"world",
           {{"seed", world.world.seed},
            {"people", world.world.people},
            {"places", world.world.places},
            {"documents", world.documents},
            {"held_out_sums", world.held_out_sums},
            {"sums", world.chats.sums},
            {"wordings", world.chats.wordings},
            {"summaries", world.chats.summaries},
            {"dialogues", world.chats.dialogues},
            {"questions", world.questions.facts}}},
          {"vocabulary", vocabulary},
          {"base", ConfigSchema(copy.base).to_json()},
          {"tuned", ConfigSchema(copy.tuned).to_json()}};
}

}  // namespace malssi::demo
