#include "train/rl/rl_objective.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>

#include "base/error.h"
#include "base/hash.h"
#include "base/random.h"
#include "data/permutation.h"
#include "ops/sequence_loss.h"
#include "tensor/tape.h"
#include "train/rl/advantages.h"
#include "train/rl/token_log_probs.h"

namespace malssi {
namespace {

void note_answers(std::span<const Rollout> answers, Tally& tally) {
  for (const Rollout& each : answers) {
    tally.add("answer_tokens", static_cast<double>(each.answer.size()));
    tally.add("ended", each.ended ? 1 : 0);
    tally.add("entropy", each.entropy);
  }
}

double count_tokens(std::span<const Rollout> answers) {
  int64_t tokens = 0;
  for (const Rollout& each : answers) tokens += std::ssize(each.answer);
  return static_cast<double>(tokens);
}

std::vector<std::vector<float>> drawn_log_probs(std::span<const Rollout> answers) {
  std::vector<std::vector<float>> all;
  for (const Rollout& each : answers) all.push_back(each.log_probs);
  return all;
}

std::vector<std::vector<int32_t>> ids_of(std::span<const RlPrompt* const> prompts) {
  std::vector<std::vector<int32_t>> ids;
  for (const RlPrompt* each : prompts) ids.push_back(each->ids);
  return ids;
}

}  // namespace

struct RlObjective::Drawn {
  std::vector<Rollout> answers;
  std::vector<double> rewards;
};

RlObjective::RlObjective(const RlModels& models, const AnswerJudge& judge,
                         std::span<const RlPrompt> train, std::span<const RlPrompt> validation,
                         const RlOptions& options)
    : models_(models),
      judge_(judge),
      train_(train),
      validation_(validation),
      options_(options),
      loss_(loss_options(options.method, options.rollout.max_tokens)),
      hash_(hash_of({train.begin(), train.end()})) {
  CHECK(!train.empty() && options.prompts >= 1 && options.mini_batches >= 1 &&
        options.inner_epochs >= 1 && options.rollout.samples >= options.method.least_group());
  CHECK(!options.method.needs_reference() || models.reference != nullptr, "there is no reference");
}

// All prompts once an epoch, shuffled anew each time.
const RlPrompt& RlObjective::prompt_of(int64_t draw) const {
  const int64_t size = std::ssize(train_);
  const auto epoch = static_cast<uint64_t>(draw / size);
  const Permutation order(size, splitmix64(options_.seed) ^ splitmix64(epoch + 1));
  return train_[static_cast<size_t>(order(draw % size))];
}

// Draws so many prompts and answers to them; of a method that wants them the groups that teach something alone.
bool RlObjective::draw_groups(Drawn& drawn, int64_t groups, Tally& tally) {
  std::vector<const RlPrompt*> prompts;
  RolloutOptions options = options_.rollout;
  options.seed = splitmix64(options_.seed) ^ splitmix64(static_cast<uint64_t>(drawn_) + 1);
  for (int64_t i = 0; i < groups; ++i) prompts.push_back(&prompt_of(drawn_++));
  const auto begin = std::chrono::steady_clock::now();
  auto answers = roll_out(models_.policy, models_.tokenizer, ids_of(prompts), options);
  if (!answers) return false;
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
  tally.add("rollout_tokens_per_second", count_tokens(*answers) / taken.count());
  const std::vector<double> rewards = judge_.judge(prompts, *answers, tally);
  note_answers(*answers, tally);
  const std::vector<bool> undecided = undecided_groups(rewards, options.samples);
  for (size_t i = 0; i < answers->size(); ++i) {
    const bool teaches = !undecided[i / static_cast<size_t>(options.samples)];
    if (i % static_cast<size_t>(options.samples) == 0)
      tally.add("groups_that_teach", teaches ? 1 : 0);
    if (options_.method.filters_groups() && !teaches) continue;
    drawn.answers.push_back(std::move((*answers)[i]));
    drawn.rewards.push_back(rewards[i]);
  }
  return true;
}

// What policy and reference say about the answers, once for all updates.
bool RlObjective::add_log_probs(Lesson& lesson) {
  const PolicyView policy{.temperature = options_.rollout.temperature,
                          .adapters = models_.adapters};
  const auto ask = [&](Model& model, const PolicyView& view, auto& to) {
    auto said = answer_token_log_probs(model, lesson.answers, view, options_.piece_tokens,
                                       options_.rollout.stop_requested);
    if (said) to = std::move(*said);
    return said.has_value();
  };
  if (!updates_once() && !ask(models_.policy, policy, lesson.before)) return false;
  return !options_.method.needs_reference() ||
         ask(*models_.reference, {.temperature = policy.temperature}, lesson.reference);
}

bool RlObjective::begin_lesson() {
  const int64_t before = drawn_;
  Tally tally;
  Drawn drawn;
  const int64_t group = options_.rollout.samples;
  for (int64_t draw = 0; draw < options_.most_draws; ++draw) {
    const int64_t missing = options_.prompts - std::ssize(drawn.answers) / group;
    if (missing == 0) break;
    if (!draw_groups(drawn, missing, tally)) return drawn_ = before, false;
  }
  Lesson lesson{
      .answers = std::move(drawn.answers), .before = {}, .reference = {}, .advantages = {}};
  if (!add_log_probs(lesson)) return drawn_ = before, false;
  const auto sampled = drawn_log_probs(lesson.answers);
  if (!lesson.answers.empty())
    lesson.advantages =
        advantages_of(options_.method, {.rewards = drawn.rewards,
                                        .group = group,
                                        .before = lesson.before.empty() ? sampled : lesson.before,
                                        .reference = lesson.reference});
  lesson_ = std::move(lesson);
  tally_.add(tally);
  return true;
}

// The answers of the next optimiser step: the lesson's shuffled, anew in each inner epoch, and cut into equal parts.
RlObjective::Numbers RlObjective::answers_of_update() const {
  const int64_t size = std::ssize(lesson_->answers), parts = options_.mini_batches;
  const int64_t epoch = lesson_->updates / parts, part = lesson_->updates % parts;
  const uint64_t seed = splitmix64(options_.seed ^ static_cast<uint64_t>(drawn_));
  Numbers numbers;
  if (size == 0) return numbers;
  const Permutation order(size, seed ^ splitmix64(static_cast<uint64_t>(epoch) + 1));
  for (int64_t i = size * part / parts; i < size * (part + 1) / parts; ++i) {
    const int64_t number = parts == 1 ? i : order(i);
    if (!options_.skip_unended || lesson_->answers[static_cast<size_t>(number)].ended)
      numbers.push_back(number);
  }
  return numbers;
}

double RlObjective::learn(const Numbers& piece, const StepSize& step, Tally& tally) {
  Tape tape;
  const Lesson& lesson = *lesson_;
  const Batch batch = rollout_batch(lesson.answers, piece);
  const PolicyView view{.temperature = options_.rollout.temperature, .adapters = models_.adapters};
  const Tensor log_probs = token_log_probs(models_.policy, batch, view);
  std::vector<float> derivatives(static_cast<size_t>(batch.tokens()), 0.0f);
  double value = 0;
  for (size_t i = 0, row = 0; i < piece.size(); ++i) {
    const auto number = static_cast<size_t>(piece[i]);
    const Rollout& answer = lesson.answers[number];
    row += answer.prompt.size() - 1;
    const std::span<const float> policy(log_probs.f32() + row, answer.answer.size());
    const PolicyLoss loss = policy_loss(
        {.policy = policy,
         .before = lesson.before.empty() ? policy : std::span<const float>(lesson.before[number]),
         .reference = loss_.beta > 0 ? std::span<const float>(lesson.reference[number])
                                     : std::span<const float>(),
         .advantages = lesson.advantages[number]},
        step, loss_);
    std::ranges::copy(loss.derivatives, derivatives.begin() + static_cast<int64_t>(row));
    row += answer.answer.size();
    value += loss.value;
    const auto T = static_cast<double>(answer.answer.size());
    tally.add("clipped", static_cast<double>(loss.clipped) / T);
    if (loss_.beta > 0) tally.add("kl", loss.kl / T);
    double drift = 0;
    for (size_t t = 0; t < policy.size(); ++t) drift += std::abs(policy[t] - answer.log_probs[t]);
    tally.add("rollout_drift", drift / T);
  }
  tape.backward(known_loss(log_probs, value, std::move(derivatives)));
  return value;
}

std::optional<StepLoss> RlObjective::accumulate(int64_t) {
  if (!lesson_ && !begin_lesson()) return {};
  const Numbers numbers = answers_of_update();
  StepSize size{.answers = std::ssize(numbers)};
  for (const int64_t number : numbers)
    size.tokens += std::ssize(lesson_->answers[static_cast<size_t>(number)].answer);
  StepLoss result;
  Tally tally;
  for (const Numbers& piece : rollout_pieces(lesson_->answers, numbers, options_.piece_tokens)) {
    if (result.tokens > 0 && stop()) return {};
    result.loss += learn(piece, size, tally);
    for (const int64_t number : piece) {
      const Rollout& each = lesson_->answers[static_cast<size_t>(number)];
      result.tokens += std::ssize(each.prompt) + std::ssize(each.answer) - 1;
    }
  }
  tally_.add(tally);
  if (++lesson_->updates == options_.mini_batches * options_.inner_epochs) lesson_.reset();
  return result;
}

Validation RlObjective::validate() {
  if (validation_.empty()) return {};
  std::vector<const RlPrompt*> prompts;
  for (const RlPrompt& each : validation_) prompts.push_back(&each);
  RolloutOptions options = options_.rollout;
  options.samples = 1;
  options.temperature = 0;
  const auto answers = roll_out(models_.policy, models_.tokenizer, ids_of(prompts), options);
  if (!answers) return {.loss = {}, .complete = false};
  Tally tally;
  const std::vector<double> rewards = judge_.judge(prompts, *answers, tally);
  note_answers(*answers, tally);
  validation_tally_ = tally;
  const double sum = std::accumulate(rewards.begin(), rewards.end(), 0.0);
  return {.loss = -sum / static_cast<double>(rewards.size())};
}

std::vector<std::pair<std::string, double>> RlObjective::figures() {
  std::vector<std::pair<std::string, double>> all = tally_.means();
  for (const auto& figure : validation_tally_.means("val_")) all.push_back(figure);
  tally_ = validation_tally_ = Tally();
  return all;
}

Json RlObjective::state() const {
  Json json = {{"prompts", hash_},
               {"seed", options_.seed},
               {"drawn", drawn_},
               {"figures", tally_.to_json()}};
  if (lesson_) json["lesson"] = lesson_->to_json();
  return json;
}

void RlObjective::restore(const Json& state) {
  const std::string where = "the checkpoint's objective";
  REQUIRE(get<std::string>(state, "prompts", where) == hash_ &&
              get<uint64_t>(state, "seed", where) == options_.seed,
          where,
          ": the prompts or the seed are not those that the run began with: continue with "
          "the same data and options");
  drawn_ = get<int64_t>(state, "drawn", where);
  REQUIRE(drawn_ >= 0, where, ": ", drawn_, " prompts drawn: damaged");
  tally_ = Tally::from_json(get<Json>(state, "figures", where), where);
  lesson_.reset();
  if (state.contains("lesson")) lesson_ = Lesson::from_json(state["lesson"], where);
}

}  // namespace malssi
