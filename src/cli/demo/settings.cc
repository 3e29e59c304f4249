#include "cli/demo/settings.h"

namespace malssi::demo {
namespace {

// Optimiser steps of the lessons after tuning.
struct LessonSteps {
  int64_t tuning, voice, reward, dpo, ppo, thinking, grpo;
};

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

// Short runs, validated at their ends.
template <class Config>
void set_lesson(Config& config, int64_t steps, double lr, int64_t rows) {
  config.train.steps = steps;
  config.train.batch_rows = rows;
  config.train.eval_every = 0;
  config.optim.lr = lr;
  config.optim.schedule = "linear";
  config.optim.warmup_steps = 4;
  config.log.tensorboard = false;
}

void set_lessons(Settings& settings, const LessonSteps& steps) {
  constexpr int64_t kChats = 24, kChoices = 16, kPrompts = 8;
  set_lesson(settings.manners, steps.tuning, 1e-3, kChats);
  set_lesson(settings.thinking, steps.thinking, 1e-3, kChats);
  set_lesson(settings.tales, steps.tuning, 1e-3, kChats);
  set_lesson(settings.voice, steps.voice, 2e-2, kChats);
  settings.voice.lora.rank = 2;
  settings.voice.lora.alpha = 8;
  settings.voice.lora.targets = "all-linear";
  set_lesson(settings.reward, steps.reward, 1e-3, kChoices);
  set_lesson(settings.dpo, steps.dpo, 1e-4, kChoices);
  settings.dpo.align.method.beta = 0.3;
  set_lesson(settings.ppo, steps.ppo, 2e-4, 2 * kChoices);
  settings.ppo.ppo.inner_epochs = 2;
  settings.ppo.ppo.max_tokens = settings.answer_tokens;
  settings.ppo.ppo.kl = "fixed";
  settings.ppo.ppo.kl_weight = 0.3;
  set_lesson(settings.grpo, steps.grpo, 3e-4, kPrompts);
  settings.grpo.grpo.max_tokens = settings.answer_tokens;
  settings.grpo.reward.use = {"exact", "think=0.2"};
}

void set_common(Settings& settings, int64_t seed) {
  settings.world.world.seed = static_cast<uint64_t>(seed);
  const auto seeded = [&](auto&... configs) { ((configs.train.seed = seed), ...); };
  seeded(settings.base, settings.tuned, settings.manners, settings.thinking, settings.tales,
         settings.reward, settings.dpo, settings.ppo, settings.grpo, settings.voice);
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
    set_lessons(settings, {.tuning = 100,
                           .voice = 220,
                           .reward = 400,
                           .dpo = 100,
                           .ppo = 80,
                           .thinking = 160,
                           .grpo = 44});
    return settings;
  }
  settings.world.world.people = 8;
  settings.world.world.places = 4;
  settings.world.documents = 5000;
  settings.world.chats.sums = 2000;
  settings.world.lessons.choices = 2400;
  settings.world.questions = {.facts = 200, .sums = 100, .others = 30};
  settings.vocabulary = 1000;
  settings.base.model.width = 96;
  settings.base.model.layers = 3;
  set_course(settings, 250, 400);
  set_lessons(settings, {.tuning = 60,
                         .voice = 140,
                         .reward = 150,
                         .dpo = 70,
                         .ppo = 50,
                         .thinking = 110,
                         .grpo = 22});
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
            {"questions", world.questions.facts},
            {"lesson_chats", world.lessons.manners},
            {"lesson_choices", world.lessons.choices},
            {"lesson_questions", world.lessons.questions}}},
          {"vocabulary", vocabulary},
          {"base", ConfigSchema(copy.base).to_json()},
          {"tuned", ConfigSchema(copy.tuned).to_json()},
          {"lessons",
           {{"manners", ConfigSchema(copy.manners).to_json()},
            {"reward", ConfigSchema(copy.reward).to_json()},
            {"dpo", ConfigSchema(copy.dpo).to_json()},
            {"ppo", ConfigSchema(copy.ppo).to_json()},
            {"thinking", ConfigSchema(copy.thinking).to_json()},
            {"grpo", ConfigSchema(copy.grpo).to_json()},
            {"tales", ConfigSchema(copy.tales).to_json()},
            {"voice", ConfigSchema(copy.voice).to_json()}}}};
}

}  // namespace malssi::demo
