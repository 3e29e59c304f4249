#include "eval/behaviour.h"

#include <algorithm>

#include "base/error.h"
#include "base/parallel.h"
#include "base/signal.h"
#include "eval/divergence.h"
#include "models/value_head.h"
#include "train/rl/answer_judge.h"
#include "train/rl/rewards/exact.h"
#include "train/run/session.h"
#include "train/tune/student.h"

namespace malssi {
namespace {

using Prompts = std::vector<RlPrompt>;

// "exact" alone is what right answers are counted by already.
bool has_reward(const RewardSettings& reward) {
  const auto weights = reward_weights(reward);
  return weights.size() != 1 || weights.front().first != "exact";
}

Student load(const std::string& folder, const BehaviourSettings& settings, DType compute) {
  Student student =
      load_student(folder, {.chat_template = settings.chat_template, .compute = compute});
  REQUIRE(!is_encoder(student.model->config()) && !has_value_head(*student.model), folder,
          ": writes no answers: name a language model");
  return student;
}

int64_t encode(Prompts& prompts, const Student& student, const BehaviourSettings& settings) {
  return encode_rl_prompts(prompts, *student.tokenizer, student.chat,
                           student.model->config().context, settings.max_tokens);
}

// The same prompts in the tokens of each model.
struct BothPrompts {
  Prompts base, model;
};

BothPrompts load_prompts(const BehaviourSettings& settings, const Student& base,
                         const Student& model, Console& console) {
  RlPrompts read = load_rl_prompts(settings.prompts, {.skip_invalid = settings.skip_invalid});
  if (read.invalid > 0)
    console.warn(concat(settings.prompts, ": ", read.invalid,
                        " malformed records left out; the first: ", read.first_invalid));
  BothPrompts both{.base = std::move(read.prompts), .model = {}};
  int64_t left_out = encode(both.base, base, settings);
  both.model = both.base;
  if (const int64_t more = encode(both.model, model, settings); more > 0) {
    left_out += more;
    both.base = both.model;
    encode(both.base, base, settings);
  }
  if (left_out > 0)
    console.warn(concat(left_out, " prompts left out: they leave no room for ", settings.max_tokens,
                        " tokens of an answer (behaviour.max_tokens)"));
  return both;
}

// Nothing when a stop was asked for.
std::optional<std::vector<Rollout>> answers_of(const Student& student, const Prompts& prompts,
                                               const BehaviourSettings& settings) {
  std::vector<std::vector<int32_t>> ids;
  for (const RlPrompt& each : prompts) ids.push_back(each.ids);
  return roll_out(*student.model, *student.tokenizer, ids,
                  {.samples = settings.samples,
                   .temperature = settings.temperature,
                   .max_tokens = settings.max_tokens,
                   .ends = student.chat.stop_ids(*student.tokenizer),
                   .seed = static_cast<uint64_t>(settings.seed),
                   .lanes = settings.lanes,
                   .stop_requested = StopSignal::requested});
}

Behaviour behaviour_of(const Student& student, const Prompts& prompts,
                       const std::vector<Rollout>& answers, const BehaviourConfig& config,
                       Console& console) {
  Behaviour behaviour;
  std::vector<const RlPrompt*> asked;
  for (const RlPrompt& each : prompts) asked.push_back(&each);
  for (const Rollout& each : answers) {
    const RlPrompt& prompt = prompts[static_cast<size_t>(each.prompt_number)];
    const std::string text = answer_text(*student.tokenizer, each.answer);
    behaviour.add(prompt.messages.back().content, text, each.ended);
    if (prompt.record.contains("answer"))
      behaviour.right.add(
          is_exact(text, prompt.record["answer"], config.reward.answer_after, prompt.where));
  }
  if (!has_reward(config.reward)) return behaviour;
  TrainSettings train;
  train.compute = config.behaviour.compute;
  const AnswerJudge judge(
      *student.tokenizer,
      make_rewards(config.reward, config.behaviour.max_tokens, compute_type(train),
                   [&](std::string_view line) { console.warn(line); }),
      config.reward.answer_after);
  Tally tally;
  for (const double reward : judge.judge(asked, answers, tally)) behaviour.reward.add(reward);
  return behaviour;
}

// KL(model || base) at each token of the model's own answers; nothing where they have two vocabularies, or a stop was asked for.
std::optional<double> divergence_of(const Student& base, const Student& model,
                                    const std::vector<Rollout>& answers, Console& console) {
  if (base.tokenizer->fingerprint() != model.tokenizer->fingerprint() ||
      base.model->config().vocab != model.model->config().vocab) {
    console.warn("the models have two tokenizers: their divergence is not measured");
    return {};
  }
  Divergence total;
  for (const Rollout& each : answers) {
    if (StopSignal::requested()) return {};
    std::vector<int32_t> ids = each.prompt;
    ids.insert(ids.end(), each.answer.begin(), each.answer.end());
    if (std::ssize(ids) > base.model->config().context) continue;
    total += measure_continuation(*model.model, *base.model, ids, std::ssize(each.prompt));
  }
  if (total.tokens == 0) return {};
  return total.mean();
}

}  // namespace

void BehaviourConfig::check() const {
  REQUIRE(!behaviour.base.empty(), "no model to compare with: give --base DIR (behaviour.base)");
  REQUIRE(!behaviour.model.empty(), "no model to look at: give --model DIR (behaviour.model)");
  REQUIRE(!behaviour.prompts.empty(), "no prompts to ask: give --prompts FILE (behaviour.prompts)");
  REQUIRE(behaviour.samples == 1 || behaviour.temperature > 0,
          "behaviour.samples = ", behaviour.samples,
          " at temperature 0 gives the same answer again: give --temperature 1");
  reward_weights(reward);
}

BehaviourChange measure_behaviour(const BehaviourConfig& config, Console& console) {
  const BehaviourSettings& settings = config.behaviour;
  const StopSignal stop;
  if (settings.threads > 0) set_thread_count(static_cast<int>(settings.threads));
  TrainSettings train;
  train.compute = settings.compute;
  const Student base = load(settings.base, settings, compute_type(train));
  const Student model = load(settings.model, settings, compute_type(train));
  const BothPrompts prompts = load_prompts(settings, base, model, console);
  BehaviourChange change{.prompts = std::ssize(prompts.base)};
  console.note(concat("asking both models ", change.prompts, " prompts"));
  const auto before = answers_of(base, prompts.base, settings);
  const auto after = before ? answers_of(model, prompts.model, settings) : std::nullopt;
  change.finished = after.has_value();
  if (!change.finished) return change;
  change.before = behaviour_of(base, prompts.base, *before, config, console);
  change.after = behaviour_of(model, prompts.model, *after, config, console);
  change.after.divergence = divergence_of(base, model, *after, console);
  change.findings = behaviour_findings(change.before, change.after, settings.kl_limit);
  return change;
}

}  // namespace malssi
