#include "train/align/preference_loss.h"

#include <algorithm>
#include <cmath>

namespace malssi {
namespace {

// Log-ratios of policy to reference, and what one of the policy's nats counts in them.
struct Ratios {
  double chosen = 0, rejected = 0;
  double chosen_scale = 1, rejected_scale = 1;
  double difference() const { return chosen - rejected; }
};

double per_token(const AnswerLogProb& answer) {
  return 1.0 / static_cast<double>(std::max<int64_t>(answer.tokens, 1));
}

Ratios ratios(const PairLogProbs& pair, bool length_normalised) {
  Ratios r;
  if (length_normalised) {
    r.chosen_scale = per_token(pair.chosen);
    r.rejected_scale = per_token(pair.rejected);
  }
  r.chosen = (pair.chosen.policy - pair.chosen.reference) * r.chosen_scale;
  r.rejected = (pair.rejected.policy - pair.rejected.reference) * r.rejected_scale;
  return r;
}

// A loss of the difference alone.
PairLoss of_difference(const Ratios& r, double value, double derivative, double beta) {
  return {.value = value,
          .d_chosen = derivative * r.chosen_scale,
          .d_rejected = -derivative * r.rejected_scale,
          .chosen_reward = beta * r.chosen,
          .rejected_reward = beta * r.rejected};
}

// log(1 - exp(x)) for x < 0.
double log1m_exp(double x) {
  return x > -0.6931471805599453 ? std::log(-std::expm1(x)) : std::log1p(-std::exp(x));
}

}  // namespace

double sigmoid(double x) {
  if (x >= 0) return 1 / (1 + std::exp(-x));
  const double e = std::exp(x);
  return e / (1 + e);
}

double log_sigmoid(double x) {
  return x >= 0 ? -std::log1p(std::exp(-x)) : x - std::log1p(std::exp(x));
}

PairLoss dpo_sigmoid(const PairLogProbs& pair, const DpoOptions& options) {
  const Ratios r = ratios(pair, options.length_normalised);
  const double x = options.beta * r.difference(), wrong = options.label_smoothing;
  const double value = -(1 - wrong) * log_sigmoid(x) - wrong * log_sigmoid(-x);
  const double derivative = -(1 - wrong) * sigmoid(-x) + wrong * sigmoid(x);
  return of_difference(r, value, options.beta * derivative, options.beta);
}

PairLoss dpo_robust(const PairLogProbs& pair, const DpoOptions& options) {
  const Ratios r = ratios(pair, options.length_normalised);
  const double x = options.beta * r.difference(), wrong = options.label_smoothing;
  const double scale = 1 / (1 - 2 * wrong);
  const double value = scale * (-(1 - wrong) * log_sigmoid(x) + wrong * log_sigmoid(-x));
  const double derivative = scale * (-(1 - wrong) * sigmoid(-x) - wrong * sigmoid(x));
  return of_difference(r, value, options.beta * derivative, options.beta);
}

PairLoss dpo_hinge(const PairLogProbs& pair, const DpoOptions& options) {
  const Ratios r = ratios(pair, options.length_normalised);
  const double slack = 1 - options.beta * r.difference();
  return of_difference(r, std::max(0.0, slack), slack > 0 ? -options.beta : 0.0, options.beta);
}

PairLoss dpo_ipo(const PairLogProbs& pair, const DpoOptions& options) {
  const Ratios r = ratios(pair, true);
  const double off = r.difference() - 1 / (2 * options.beta);
  return of_difference(r, off * off, 2 * off, options.beta);
}

PairLoss orpo(const PairLogProbs& pair, double beta) {
  constexpr double kCertain = -1e-6;  // at 0 the odds are infinite
  const double chosen_scale = per_token(pair.chosen), rejected_scale = per_token(pair.rejected);
  const double chosen = std::min(pair.chosen.policy * chosen_scale, kCertain);
  const double rejected = std::min(pair.rejected.policy * rejected_scale, kCertain);
  const double odds = (chosen - log1m_exp(chosen)) - (rejected - log1m_exp(rejected));
  const double pull = -beta * sigmoid(-odds);
  return {.value = -chosen - beta * log_sigmoid(odds),
          .d_chosen = (-1 + pull / -std::expm1(chosen)) * chosen_scale,
          .d_rejected = -pull / -std::expm1(rejected) * rejected_scale,
          .chosen_reward = beta * chosen,
          .rejected_reward = beta * rejected};
}

PairLoss simpo(const PairLogProbs& pair, double beta, double gamma) {
  PairLogProbs alone = pair;
  alone.chosen.reference = alone.rejected.reference = 0;
  const Ratios r = ratios(alone, true);
  const double x = beta * r.difference() - gamma;
  return of_difference(r, -log_sigmoid(x), -beta * sigmoid(-x), beta);
}

JudgedLoss kto(const AnswerLogProb& answer, Verdict verdict, double z0, const KtoOptions& options) {
  const double reward = options.beta * (answer.policy - answer.reference);
  const double sign = verdict == Verdict::liked ? 1 : -1;
  const double weight = verdict == Verdict::liked ? options.liked_weight : options.disliked_weight;
  const double worth = sigmoid(sign * (reward - options.beta * z0));
  return {.value = weight * (1 - worth),
          .derivative = -weight * sign * options.beta * worth * (1 - worth),
          .reward = reward};
}

double kto_baseline(const std::vector<AnswerLogProb>& mismatched) {
  if (mismatched.empty()) return 0;
  double sum = 0;
  for (const AnswerLogProb& answer : mismatched) sum += answer.policy - answer.reference;
  return std::max(0.0, sum / static_cast<double>(mismatched.size()));
}

PairLoss bradley_terry(double chosen, double rejected, double margin, double centring) {
  const double lead = chosen - rejected - margin, sum = chosen + rejected;
  const double pull = -sigmoid(-lead);
  return {.value = -log_sigmoid(lead) + centring * sum * sum,
          .d_chosen = pull + 2 * centring * sum,
          .d_rejected = -pull + 2 * centring * sum,
          .chosen_reward = chosen,
          .rejected_reward = rejected};
}

}  // namespace malssi
