#include "train/rl/ppo.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/format.h"
#include "base/signal.h"
#include "data/prepare.h"
#include "train/rl/ppo_models.h"
#include "train/rl/ppo_objective.h"
#include "train/rl/prompt_sets.h"
#include "train/run/new_run.h"
#include "train/run/too_long.h"

namespace malssi {
namespace {

// What the reward model, too, can read with an answer of the greatest length.
void drop_unjudgeable(PromptSets& prompts, const PpoConfig& config, const PpoModels& models,
                      Console& console) {
  const int64_t context = models.reward->model().config().context;
  TooLong found{
      .records = "prompts",
      .all = std::ssize(prompts.train) + std::ssize(prompts.validation),
      .most = context - config.ppo.max_tokens,
      .settings = concat("the reward model's context of ", context, " less ppo.max_tokens")};
  for (std::vector<RlPrompt>* each : {&prompts.train, &prompts.validation})
    found.left_out += static_cast<int64_t>(std::erase_if(*each, [&](const RlPrompt& prompt) {
      return !models.reward->leaves_room(prompt.messages, config.ppo.max_tokens);
    }));
  tell_too_long(found, console);
  REQUIRE(!prompts.train.empty(), config.ppo.reward, ": takes ", context,
          " tokens, in which no prompt leaves room for ", config.ppo.max_tokens,
          " tokens of an answer: lower ppo.max_tokens, or take a reward model with a longer "
          "context");
}

// Fills in what was left to choose, so that RUN/config.toml tells what is done.
void resolve(PpoConfig& config, const PromptSets& prompts) {
  if (config.train.micro_batch_tokens == 0) config.train.micro_batch_tokens = 2048;
  if (config.train.steps > 0) return;
  const PpoSettings& ppo = config.ppo;
  const double asked =
      ppo.epochs * static_cast<double>(prompts.train.size() * ppo.answers_per_prompt);
  const auto rounds = static_cast<int64_t>(std::ceil(asked / static_cast<double>(ppo.answers)));
  config.train.steps =
      std::max<int64_t>(1, rounds) * ppo.inner_epochs * (ppo.answers / config.train.batch_rows);
}

// The text of a pretraining mix, a batch for each optimiser step.
struct TextMix {
  TextMix(const PpoConfig& config, const Student& policy, Console& console)
      : tokens(prepare(config, *policy.tokenizer, console)),
        batches(tokens.train, options(config, *policy.model)) {}

  static PreparedTokens prepare(const PpoConfig& config, const Tokenizer& tokenizer,
                                Console& console) {
    PrepareOptions options;
    options.train.paths = config.ppo.text;
    options.val_fraction = 0;
    options.progress = [&](int64_t done, int64_t total) {
      console.progress({.done = done, .total = total, .text = "bytes of text made tokens"});
    };
    PreparedTokens tokens = prepare_tokens(options, tokenizer);
    console.end_progress();
    return tokens;
  }
  static BatchOptions options(const PpoConfig& config, const Model& model) {
    const int64_t most = config.train.micro_batch_tokens;
    const int64_t context = std::min(model.config().context, most);
    return {.context = context,
            .rows = most / context,
            .seed = static_cast<uint64_t>(config.train.seed),
            .mode = "epoch"};
  }

  PreparedTokens tokens;
  PackedBatches batches;
};

PpoOptions options_of(const PpoConfig& config, const Student& policy) {
  const PpoSettings& ppo = config.ppo;
  return {.experience = {.samples = ppo.answers_per_prompt,
                         .temperature = ppo.temperature,
                         .max_tokens = ppo.max_tokens,
                         .ends = policy.chat.stop_ids(*policy.tokenizer),
                         .gamma = ppo.gamma,
                         .lambda = ppo.lambda,
                         .whiten_rewards = ppo.whiten_rewards,
                         .missing_end_penalty = ppo.missing_end_penalty,
                         .piece_tokens = config.train.micro_batch_tokens,
                         .stop_requested = StopSignal::requested},
          .kl = {.beta = ppo.kl_weight,
                 .is_adaptive = ppo.kl == "adaptive",
                 .target = ppo.kl_target,
                 .horizon = ppo.kl_horizon},
          .answers = ppo.answers,
          .answers_per_step = config.train.batch_rows,
          .epochs = ppo.inner_epochs,
          .clip = ppo.clip,
          .value_clip = ppo.value_clip,
          .value_weight = ppo.value_weight,
          .text_weight = ppo.text.empty() ? 0 : ppo.text_weight,
          .seed = static_cast<uint64_t>(config.train.seed)};
}

std::vector<SamplePrompt> sample_prompts(const PromptSets& all, const Student& policy,
                                         const LogSettings& log) {
  if (!log.sample_prompt.empty()) {
    const std::vector<Message> ask = {{.role = "user", .content = log.sample_prompt}};
    return {chat_prompt(*policy.tokenizer, policy.chat, ask)};
  }
  std::vector<SamplePrompt> list;
  for (const RlPrompt& each : all.validation.empty() ? all.train : all.validation) {
    if (std::ssize(list) >= log.samples) break;
    list.push_back(chat_prompt(*policy.tokenizer, policy.chat, each.messages));
  }
  return list;
}

double mean_tokens(const std::vector<RlPrompt>& prompts) {
  double sum = 0;
  for (const RlPrompt& each : prompts) sum += static_cast<double>(each.ids.size());
  return sum / static_cast<double>(prompts.size());
}

// As pretrain() in pretrain.cc. checkpoint: what to go on from, if anything.
RunResult align(PpoConfig& config, ConfigSchema& schema, const std::optional<fs::path>& checkpoint,
                const std::function<void()>& begin, Console& console) {
  const auto models = load_ppo_models(config, checkpoint);
  const Student& policy = models->policy;
  PromptSets prompts = load_prompt_sets(config.ppo, config.train, console);
  drop_unjudgeable(prompts, config, *models, console);
  encode_prompt_sets(prompts, policy, config.ppo.max_tokens, "ppo.max_tokens", console);
  resolve(config, prompts);
  std::optional<TextMix> text;
  if (!config.ppo.text.empty()) text.emplace(config, policy, console);
  const PpoActors actors{.policy = *policy.model,
                         .adapters = models->trained.adapters,
                         .reference = models->reference_model(),
                         .tokenizer = *policy.tokenizer,
                         .critic = models->critic,
                         .reward = *models->reward};
  PpoObjective objective(actors, prompts.train, prompts.validation, text ? &text->batches : nullptr,
                         options_of(config, policy));
  begin();
  const int64_t length = static_cast<int64_t>(mean_tokens(prompts.train)) + config.ppo.max_tokens;
  const RunPlan plan{.folder = config.train.out,
                     .summary = concat("Aligned by a reward model (ppo), from ", config.ppo.model,
                                       ", on ", prompts.train.size(), " prompts."),
                     .config = schema.to_json(),
                     .model = *policy.model,
                     .tokenizer = *policy.tokenizer,
                     .chat = &policy.chat,
                     .trained = models->trained,
                     .objective = objective,
                     .optim = config.optim,
                     .train = config.train,
                     .log = config.log,
                     .steps = config.train.steps,
                     .tokens_per_step = config.train.batch_rows * length,
                     .context = length,
                     .loss_unit = "minus reward",
                     .prompts = sample_prompts(prompts, policy, config.log),
                     .compares_samples = true};
  const RunResult result = train_run(plan, console);
  tell_too_long({.records = "answers",
                 .all = models->reward->judged(),
                 .cut = models->reward->cut(),
                 .most = models->reward->model().config().context,
                 .settings = "the reward model's context, which scored their beginnings"},
                console);
  return result;
}

}  // namespace

RunResult run_ppo(PpoConfig config, Console& console) {
  const auto settle_paths = [&] {
    settle(config.train,
           {&config.ppo.model, &config.ppo.data, &config.ppo.val, &config.ppo.reward});
    for (std::string& path : config.ppo.text) path = fs::absolute(path).lexically_normal().string();
  };
  return start_run(config, "ppo", settle_paths, align, console);
}

RunResult resume_ppo(const fs::path& run, const std::vector<std::string>& settings,
                     Console& console) {
  PpoConfig config;
  return go_on_with_run(config, run, settings, align, console);
}

}  // namespace malssi
