#include "train/rl/ppo_objective.h"

#include <cmath>
#include <numeric>

#include "base/error.h"
#include "base/random.h"
#include "data/permutation.h"
#include "ops/loss.h"
#include "ops/residual.h"
#include "ops/sequence_loss.h"
#include "tensor/tape.h"
#include "train/rl/token_log_probs.h"
#include "train/rl/value_loss.h"

namespace malssi {
namespace {

// Where each answer's tokens begin among the targets of its batch.
std::vector<int64_t> answer_begins(const std::vector<Rollout>& rollouts,
                                   const std::vector<int64_t>& piece) {
  std::vector<int64_t> begins;
  int64_t at = 0;
  for (const int64_t number : piece) {
    const Rollout& each = rollouts[static_cast<size_t>(number)];
    begins.push_back(at + std::ssize(each.prompt) - 1);
    at = begins.back() + std::ssize(each.answer);
  }
  return begins;
}

}  // namespace

PpoObjective::PpoObjective(const PpoActors& actors, std::span<const RlPrompt> train,
                           std::span<const RlPrompt> validation, BatchSource* text,
                           const PpoOptions& options)
    : actors_(actors),
      train_(train),
      validation_(validation),
      hash_(hash_of({train.begin(), train.end()})),
      text_(text),
      options_(options),
      kl_(options.kl) {
  CHECK(options.answers % options.answers_per_step == 0 &&
            options.answers % options.experience.samples == 0,
        options.answers, " answers do not fit into steps of ", options.answers_per_step);
}

// All prompts once an epoch, shuffled anew each time.
PpoObjective::Numbers PpoObjective::next_prompts() const {
  const int64_t count = options_.answers / options_.experience.samples, size = std::ssize(train_);
  Numbers numbers;
  for (int64_t i = rounds_ * count; i < (rounds_ + 1) * count; ++i) {
    const auto epoch = static_cast<uint64_t>(i / size);
    const uint64_t seed = splitmix64(options_.seed) ^ splitmix64(epoch + 1);
    numbers.push_back(Permutation(size, seed)(i % size));
  }
  return numbers;
}

// The answers of this step: all of them once an inner epoch.
PpoObjective::Numbers PpoObjective::next_answers() const {
  const int64_t at = position_ * options_.answers_per_step;
  const auto epoch = static_cast<uint64_t>(rounds_ * options_.epochs + at / options_.answers);
  const Permutation order(options_.answers, splitmix64(options_.seed + 1) ^ splitmix64(epoch));
  Numbers numbers;
  for (int64_t i = 0; i < options_.answers_per_step; ++i)
    numbers.push_back(order(at % options_.answers + i));
  return numbers;
}

Tensor PpoObjective::policy_part(const Tensor& log_probs, const Numbers& piece,
                                 const StepSize& size, Tally& tally) const {
  const PolicyLossOptions options{
      .average = AverageOver::tokens, .clip_low = options_.clip, .clip_high = options_.clip};
  const std::vector<int64_t> begins = answer_begins(experience_->rollouts, piece);
  std::vector<float> derivatives(static_cast<size_t>(log_probs.size()));
  double value = 0;
  for (size_t i = 0; i < piece.size(); ++i) {
    const auto number = static_cast<size_t>(piece[i]);
    const std::vector<float>& before = experience_->before[number];
    const std::span<const float> now(log_probs.f32() + begins[i], before.size());
    const PolicyLoss loss = policy_loss({.policy = now,
                                         .before = before,
                                         .reference = {},
                                         .advantages = experience_->advantages[number]},
                                        size, options);
    std::ranges::copy(loss.derivatives, derivatives.begin() + begins[i]);
    value += loss.value;
    double ratio = 0;
    for (size_t t = 0; t < before.size(); ++t)
      ratio += std::exp(static_cast<double>(now[t]) - before[t]);
    const auto tokens = static_cast<double>(before.size());
    tally.add("ratio", ratio / tokens);
    tally.add("clip_fraction", static_cast<double>(loss.clipped) / tokens);
  }
  return known_loss(log_probs, value, std::move(derivatives));
}

Tensor PpoObjective::value_part(const Tensor& values, const Numbers& piece, const StepSize& size,
                                Tally& tally) const {
  const std::vector<int64_t> begins = answer_begins(experience_->rollouts, piece);
  const double weight = options_.value_weight / static_cast<double>(size.tokens);
  std::vector<float> derivatives(static_cast<size_t>(values.size()));
  double sum = 0;
  for (size_t i = 0; i < piece.size(); ++i) {
    const auto number = static_cast<size_t>(piece[i]);
    const std::vector<float>& before = experience_->values[number];
    double own = 0;
    for (size_t t = 0; t < before.size(); ++t) {
      const auto at = static_cast<size_t>(begins[i]) + t;
      const ValueLoss loss = clipped_value_loss(
          values.f32()[at], before[t], experience_->returns[number][t], options_.value_clip);
      own += loss.value;
      derivatives[at] = static_cast<float>(weight * loss.derivative);
    }
    sum += own;
    tally.add("value_loss", own / static_cast<double>(before.size()));
  }
  return known_loss(values, weight * sum, std::move(derivatives));
}

double PpoObjective::learn(const Numbers& piece, const StepSize& size, Tally& tally) {
  const Batch batch = rollout_batch(experience_->rollouts, piece);
  const auto hidden_of = [&](Model& model, const AdapterMix& adapters) {
    CausalBatch context(batch.starts);
    context.set_adapters({batch.tokens(), adapters});
    return model.hidden(batch.ids, context);
  };
  double sum = 0;
  {
    Tape tape;
    const Tensor hidden = hidden_of(actors_.policy, actors_.adapters);
    const Tensor log_probs =
        token_log_probs_of(actors_.policy, hidden, batch, options_.experience.temperature);
    Tensor loss = policy_part(log_probs, piece, size, tally);
    if (is_shared())
      loss =
          residual_add(loss, value_part(token_values(actors_.critic, hidden), piece, size, tally));
    sum += loss.f32()[0];
    tape.backward(loss);
  }
  if (is_shared()) return sum;
  Tape tape;
  const Tensor values =
      token_values(actors_.critic, hidden_of(*actors_.critic.model, actors_.critic.adapters));
  const Tensor loss = value_part(values, piece, size, tally);
  tape.backward(loss);
  return sum + loss.f32()[0];
}

std::optional<StepLoss> PpoObjective::learn_text() {
  if (!text_) return StepLoss{};
  if (stop()) return {};
  const Batch batch = text_->next();
  Tape tape;
  CausalBatch context(batch.starts);
  context.set_adapters({batch.tokens(), actors_.adapters});
  const auto scale = static_cast<float>(options_.text_weight / std::max(batch.scored(), 1.0));
  const Tensor loss =
      lm_loss(actors_.policy.hidden(batch.ids, context), actors_.policy.head(), batch.targets,
              batch.weights, scale, nullptr, actors_.policy.logit_softcap());
  tape.backward(loss);
  return StepLoss{.loss = loss.f32()[0], .tokens = batch.tokens()};
}

std::optional<StepLoss> PpoObjective::accumulate(int64_t) {
  if (!experience_)
    experience_ = gather(actors_, train_, next_prompts(), kl_.beta(),
                         splitmix64(options_.seed + splitmix64(static_cast<uint64_t>(rounds_))),
                         options_.experience);
  if (!experience_) return {};
  const Numbers which = next_answers();
  StepSize size{.answers = std::ssize(which)};
  for (const int64_t number : which)
    size.tokens += std::ssize(experience_->before[static_cast<size_t>(number)]);
  StepLoss result;
  Tally tally;
  bool begun = false;
  for (const Numbers& piece :
       rollout_pieces(experience_->rollouts, which, options_.experience.piece_tokens)) {
    if (begun && stop()) return {};
    begun = true;
    result.loss += learn(piece, size, tally);
    result.tokens += rollout_batch(experience_->rollouts, piece).tokens();
  }
  const std::optional<StepLoss> text = learn_text();
  if (!text) return {};
  finish_step(tally);
  if (text_ && options_.text_weight > 0) tally_.add("text_loss", text->loss / options_.text_weight);
  return StepLoss{.loss = result.loss + text->loss, .tokens = result.tokens + text->tokens};
}

void PpoObjective::finish_step(const Tally& tally) {
  if (position_ == 0) {
    tally_.add(experience_->figures);
    tally_.add("kl_weight", kl_.beta());
  }
  tally_.add(tally);
  if (++position_ < options_.epochs * options_.answers / options_.answers_per_step) return;
  kl_.update(experience_->kl, options_.answers);
  experience_.reset();
  position_ = 0;
  ++rounds_;
}

Validation PpoObjective::validate() {
  if (validation_.empty()) return {};
  Numbers all(validation_.size());
  std::iota(all.begin(), all.end(), 0);
  ExperienceOptions options = options_.experience;
  options.samples = 1;
  const auto held_out =
      gather(actors_, validation_, all, options_.kl.beta, splitmix64(options_.seed + 2), options);
  if (!held_out) return {.loss = {}, .complete = false};
  double reward = 0;
  validation_figures_.clear();
  for (const auto& [name, value] : held_out->figures.means()) {
    if (name == "reward") reward = value;
    validation_figures_.emplace_back("val_" + name, value);
  }
  return {.loss = options_.kl.beta * held_out->kl - reward};
}

std::vector<std::pair<std::string, double>> PpoObjective::figures() {
  std::vector<std::pair<std::string, double>> all = tally_.means();
  all.insert(all.end(), validation_figures_.begin(), validation_figures_.end());
  tally_ = Tally();
  validation_figures_.clear();
  return all;
}

Json PpoObjective::state() const {
  Json state = {{"prompts", hash_},
                {"rounds", rounds_},
                {"position", position_},
                {"kl_weight", kl_.beta()},
                {"figures", tally_.to_json()}};
  // Answers that nothing was learned from yet are drawn again, and are the same.
  if (position_ > 0) state["experience"] = experience_->to_json();
  if (text_) state["text"] = text_->state();
  return state;
}

void PpoObjective::restore(const Json& state) {
  const std::string where = "the checkpoint's objective";
  REQUIRE(get<std::string>(state, "prompts", where) == hash_, where,
          ": the prompts are others than then: continue with the same data and options");
  rounds_ = get<int64_t>(state, "rounds", where);
  position_ = get<int64_t>(state, "position", where);
  kl_.restore(get<double>(state, "kl_weight", where));
  tally_ = Tally::from_json(get<Json>(state, "figures", where), where);
  experience_.reset();
  if (position_ > 0)
    experience_ = Experience::from_json(get<Json>(state, "experience", where), where);
  const int64_t steps = options_.epochs * options_.answers / options_.answers_per_step;
  REQUIRE(rounds_ >= 0 && position_ >= 0 && position_ < steps, where, ": step ", position_,
          " of a round of ", steps, ": continue with the same options");
  REQUIRE(!experience_ || experience_->size() == options_.answers, where,
          ": holds other answers than ", options_.answers, ": continue with the same options");
  if (text_) text_->restore(get<Json>(state, "text", where));
}

}  // namespace malssi
