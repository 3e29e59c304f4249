#include "train/rl/grpo.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/format.h"
#include "base/signal.h"
#include "models/adapter.h"
#include "models/value_head.h"
#include "train/rl/prompt_sets.h"
#include "train/rl/rl_objective.h"
#include "train/run/metrics.h"
#include "train/run/new_run.h"
#include "train/tune/lora_student.h"

namespace malssi {
namespace {

// Fills in what was left to choose, so that RUN/config.toml tells what is done.
void resolve(GrpoConfig& config, const PromptSets& prompts) {
  if (config.train.micro_batch_tokens == 0) config.train.micro_batch_tokens = 2048;
  if (config.train.steps > 0) return;
  const double lessons = std::ceil(config.grpo.epochs * static_cast<double>(prompts.train.size()) /
                                   static_cast<double>(config.train.batch_rows));
  config.train.steps = std::max<int64_t>(1, static_cast<int64_t>(lessons)) *
                       config.grpo.mini_batches * config.grpo.inner_epochs;
}

RlOptions rl_options(const GrpoConfig& config, const Student& student) {
  const GrpoSettings& grpo = config.grpo;
  return {.method = grpo.method,
          .rollout = {.samples = grpo.group,
                      .temperature = grpo.temperature,
                      .top_k = grpo.top_k,
                      .top_p = grpo.top_p,
                      .max_tokens = grpo.max_tokens,
                      .ends = student.chat.stop_ids(*student.tokenizer),
                      .lanes = grpo.lanes,
                      .stop_requested = StopSignal::requested},
          .prompts = config.train.batch_rows,
          .mini_batches = grpo.mini_batches,
          .inner_epochs = grpo.inner_epochs,
          .most_draws = grpo.method.filters_groups() ? grpo.most_draws : 1,
          .skip_unended = grpo.skip_unended,
          .piece_tokens = config.train.micro_batch_tokens,
          .seed = static_cast<uint64_t>(config.train.seed)};
}

// With grpo.lora the base model, whose weights stay; else what the checkpoint, if there is one, has made of it.
Student load_policy(const fs::path& folder, const GrpoConfig& config) {
  const GrpoSettings& grpo = config.grpo;
  const DType compute = compute_type(config.train);
  Student student =
      grpo.lora ? load_frozen(grpo.model, {.chat_template = grpo.chat_template,
                                           .compute = compute,
                                           .packed = config.lora.packed()})
                : load_student(folder, {.chat_template = grpo.chat_template, .compute = compute});
  REQUIRE(!has_value_head(*student.model), folder.string(),
          ": is a reward model, which writes no answers: name a language model");
  return student;
}

Trained begin_trained(const GrpoConfig& config, Student& policy) {
  if (!config.grpo.lora) return whole_model(*policy.model, *policy.tokenizer, &policy.chat);
  return begin_lora(policy, config.lora, static_cast<uint64_t>(config.train.seed),
                    config.grpo.model);
}

// A second copy, frozen, where one is needed: an adapter's policy is its own reference, without the adapter.
std::unique_ptr<Model> load_reference(const GrpoConfig& config) {
  if (!config.grpo.method.needs_reference() || config.grpo.lora) return nullptr;
  std::unique_ptr<Model> model = load_policy(config.grpo.model, config).model;
  freeze(*model);
  return model;
}

// The same few at each validation, so that the report can show them side by side.
std::vector<SamplePrompt> sample_prompts(const PromptSets& prompts, const Student& student,
                                         const LogSettings& log) {
  std::vector<SamplePrompt> list;
  for (const RlPrompt& each : prompts.validation.empty() ? prompts.train : prompts.validation) {
    if (std::ssize(list) >= log.samples) break;
    list.push_back(chat_prompt(*student.tokenizer, student.chat, each.messages));
  }
  return list;
}

std::string summary(const GrpoConfig& config, size_t prompts) {
  std::string rewards;
  for (const std::string& each : config.reward.use)
    rewards += concat(rewards.empty() ? "" : ", ", each);
  return concat("Trained by reinforcement learning (", config.grpo.method.loss,
                "; rewards: ", rewards, "), from ", config.grpo.model, ", on ", prompts,
                " prompts.");
}

// What came of it, from the records of the validations.
void tell_gain(const RunResult& result, const fs::path& run, Console& console) {
  if (result.end == LoopEnd::interrupted || result.state.best_step < 0) return;
  const std::vector<Metrics> lines = read_metrics(run / "metrics.jsonl");
  for (const std::string figure : {"val_reward", "val_accuracy"}) {
    std::vector<double> seen;  // the first, and that of the model that is kept
    for (const Metrics& line : lines)
      if (std::isfinite(line.figure(figure)) &&
          (seen.empty() || line.step == result.state.best_step))
        seen.push_back(line.figure(figure));
    if (seen.size() == 2)
      console.note(concat("held-out ", figure == "val_reward" ? "reward" : "exact answers", ": ",
                          human_number(seen[0]), " before, ", human_number(seen[1]), " after"));
  }
}

// As pretrain() in pretrain.cc. checkpoint: what to go on from, if anything.
RunResult train(GrpoConfig& config, ConfigSchema& schema, const std::optional<fs::path>& checkpoint,
                const std::function<void()>& begin, Console& console) {
  Student student = load_policy(checkpoint ? *checkpoint : fs::path(config.grpo.model), config);
  PromptSets prompts = load_prompt_sets(config.grpo, config.train, console);
  encode_prompt_sets(prompts, student, config.grpo.max_tokens, "grpo.max_tokens", console);
  resolve(config, prompts);
  const AnswerJudge judge(
      *student.tokenizer,
      make_rewards(config.reward, config.grpo.max_tokens, compute_type(config.train),
                   [&](std::string_view line) { console.warn(line); }),
      config.reward.answer_after);
  const std::unique_ptr<Model> reference = load_reference(config);
  const Trained trained = begin_trained(config, student);
  begin();
  RlObjective objective({.policy = *student.model,
                         .adapters = trained.adapters,
                         .reference = reference ? reference.get() : student.model.get(),
                         .tokenizer = *student.tokenizer},
                        judge, prompts.train, prompts.validation, rl_options(config, student));
  const int64_t answers = config.train.batch_rows * config.grpo.group / config.grpo.mini_batches;
  const RunPlan plan{
      .folder = config.train.out,
      .summary = summary(config, prompts.train.size()),
      .config = schema.to_json(),
      .model = *student.model,
      .tokenizer = *student.tokenizer,
      .chat = &student.chat,
      .trained = trained,
      .objective = objective,
      .optim = config.optim,
      .train = config.train,
      .log = config.log,
      .steps = config.train.steps,
      .tokens_per_step = answers * (std::ssize(prompts.train[0].ids) + config.grpo.max_tokens / 2),
      .context = std::ssize(prompts.train[0].ids) + config.grpo.max_tokens,
      .loss_unit = "(the held-out reward, negated)",
      .prompts = sample_prompts(prompts, student, config.log),
      .compares_samples = true};
  const RunResult result = train_run(plan, console);
  tell_gain(result, config.train.out, console);
  return result;
}

}  // namespace

RunResult run_grpo(GrpoConfig config, Console& console) {
  const auto settle_paths = [&] {
    settle(config.train, {&config.grpo.model, &config.grpo.data, &config.grpo.val,
                          &config.reward.schema, &config.reward.reward_model});
  };
  return start_run(config, "grpo", settle_paths, train, console);
}

RunResult resume_grpo(const fs::path& run, const std::vector<std::string>& settings,
                      Console& console) {
  GrpoConfig config;
  return go_on_with_run(config, run, settings, train, console);
}

}  // namespace malssi
