#include "train/rl/experience.h"

#include "base/error.h"
#include "train/rl/answer_judge.h"
#include "train/rl/gae.h"
#include "train/rl/token_log_probs.h"

namespace malssi {
namespace {

std::optional<std::vector<Rollout>> draw(const PpoActors& actors, std::span<const RlPrompt> prompts,
                                         std::span<const int64_t> which, uint64_t seed,
                                         const ExperienceOptions& options) {
  std::vector<std::vector<int32_t>> asked;
  for (const int64_t number : which) asked.push_back(prompts[static_cast<size_t>(number)].ids);
  auto rollouts = roll_out(actors.policy, actors.tokenizer, asked,
                           {.samples = options.samples,
                            .temperature = options.temperature,
                            .max_tokens = options.max_tokens,
                            .ends = options.ends,
                            .seed = seed,
                            .adapters = actors.adapters,
                            .stop_requested = options.stop_requested});
  if (!rollouts) return {};
  for (Rollout& each : *rollouts)
    each.prompt_number = which[static_cast<size_t>(each.prompt_number)];
  return rollouts;
}

std::vector<double> scores_of(const PpoActors& actors, std::span<const RlPrompt> prompts,
                              std::span<const Rollout> rollouts, const ExperienceOptions& options) {
  std::vector<JudgedAnswer> answers;
  for (const Rollout& each : rollouts)
    answers.push_back({.prompt = prompts[static_cast<size_t>(each.prompt_number)],
                       .text = answer_text(actors.tokenizer, each.answer),
                       .tokens = std::ssize(each.answer),
                       .ended = each.ended});
  std::vector<double> scores = actors.reward.scores(answers);
  for (size_t i = 0; i < scores.size(); ++i)
    scores[i] -= rollouts[i].ended ? 0 : options.missing_end_penalty;
  return scores;
}

double distance(std::span<const float> policy, std::span<const float> reference) {
  double sum = 0;
  for (size_t i = 0; i < policy.size(); ++i) sum += static_cast<double>(policy[i]) - reference[i];
  return sum;
}

// From scores to what each token is worth.
void judge(Experience& experience, std::span<const std::vector<float>> reference,
           std::span<const double> scores, double beta, const ExperienceOptions& options) {
  std::vector<std::vector<double>> rewards;
  for (size_t i = 0; i < experience.rollouts.size(); ++i) {
    rewards.push_back(penalised_rewards(experience.before[i], reference[i], scores[i], beta));
  }
  if (options.whiten_rewards) whiten(rewards, Whitening::keep_mean);
  for (size_t i = 0; i < rewards.size(); ++i) {
    Advantages each = gae(rewards[i], experience.values[i], options.gamma, options.lambda);
    experience.advantages.push_back(std::move(each.advantages));
    experience.returns.push_back(std::move(each.returns));
  }
  whiten(experience.advantages, Whitening::full);
}

void note(Experience& experience, std::span<const std::vector<float>> reference,
          std::span<const double> scores) {
  double kl = 0;
  for (size_t i = 0; i < experience.rollouts.size(); ++i) {
    const Rollout& rollout = experience.rollouts[i];
    const double nats = distance(experience.before[i], reference[i]);
    kl += nats;
    experience.figures.add("reward", scores[i]);
    experience.figures.add("kl", nats);
    experience.figures.add("entropy", rollout.entropy);
    experience.figures.add("answer_length", static_cast<double>(std::ssize(rollout.answer)));
    experience.figures.add("ended", rollout.ended ? 1 : 0);
  }
  experience.kl = kl / static_cast<double>(experience.size());
  experience.figures.add("explained_variance",
                         explained_variance(experience.values, experience.returns));
}

// As many rows as there are answers, each as long as its answer.
template <class Number>
std::vector<std::vector<Number>> rows_of(const Json& json, const char* key,
                                         const std::vector<Rollout>& rollouts,
                                         std::string_view where) {
  auto rows = get<std::vector<std::vector<Number>>>(json, key, where);
  bool fits = rows.size() == rollouts.size();
  for (size_t i = 0; fits && i < rows.size(); ++i)
    fits = rows[i].size() == rollouts[i].answer.size();
  REQUIRE(fits, where, ": \"", key, "\" does not fit the answers: damaged");
  return rows;
}

}  // namespace

std::optional<Experience> gather(const PpoActors& actors, std::span<const RlPrompt> prompts,
                                 std::span<const int64_t> which, double beta, uint64_t seed,
                                 const ExperienceOptions& options) {
  auto rollouts = draw(actors, prompts, which, seed, options);
  if (!rollouts) return {};
  Experience experience;
  experience.rollouts = std::move(*rollouts);
  const auto& all = experience.rollouts;
  // By the passes that training makes, too, so that at first every ratio is 1 but for rounding.
  auto before = answer_token_log_probs(
      actors.policy, all, {.temperature = options.temperature, .adapters = actors.adapters},
      options.piece_tokens, options.stop_requested);
  if (!before) return {};
  const auto reference =
      answer_token_log_probs(actors.reference, all, {.temperature = options.temperature},
                             options.piece_tokens, options.stop_requested);
  if (!reference) return {};
  auto values =
      answer_token_values(actors.critic, all, options.piece_tokens, options.stop_requested);
  if (!values) return {};
  const std::vector<double> scores = scores_of(actors, prompts, all, options);
  experience.before = std::move(*before);
  experience.values = std::move(*values);
  judge(experience, *reference, scores, beta, options);
  note(experience, *reference, scores);
  return experience;
}

Json Experience::to_json() const {
  Json answers = Json::array();
  for (const Rollout& each : rollouts)
    answers.push_back(
        {{"prompt_number", each.prompt_number}, {"prompt", each.prompt}, {"answer", each.answer}});
  return {{"answers", answers},       {"before", before},   {"values", values},
          {"advantages", advantages}, {"returns", returns}, {"kl", kl}};
}

Experience Experience::from_json(const Json& json, std::string_view where) {
  Experience experience;
  const Json answers = get<Json>(json, "answers", where);
  REQUIRE(answers.is_array() && !answers.empty(), where, ": holds no answers: damaged");
  for (const Json& each : answers) {
    Rollout rollout{.prompt_number = get<int64_t>(each, "prompt_number", where),
                    .prompt = get<std::vector<int32_t>>(each, "prompt", where),
                    .answer = get<std::vector<int32_t>>(each, "answer", where),
                    .log_probs = {}};
    REQUIRE(!rollout.prompt.empty() && !rollout.answer.empty(), where,
            ": an answer without tokens: damaged");
    experience.rollouts.push_back(std::move(rollout));
  }
  const auto& rollouts = experience.rollouts;
  experience.before = rows_of<float>(json, "before", rollouts, where);
  experience.values = rows_of<float>(json, "values", rollouts, where);
  experience.advantages = rows_of<double>(json, "advantages", rollouts, where);
  experience.returns = rows_of<double>(json, "returns", rollouts, where);
  experience.kl = get<double>(json, "kl", where);
  return experience;
}

}  // namespace malssi
