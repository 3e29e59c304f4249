#include "train/align/reward_objective.h"

#include <numeric>

#include "base/error.h"
#include "base/random.h"
#include "models/value_head.h"
#include "ops/sequence_loss.h"
#include "ops/sequence_score.h"
#include "tensor/tape.h"
#include "train/align/preference_loss.h"

namespace malssi {
namespace {

struct Outcome {
  double loss = 0;                 // summed over the records
  std::vector<float> derivatives;  // by each sequence's reward
};

std::vector<int64_t> numbers(int64_t begin, int64_t end) {
  std::vector<int64_t> list(static_cast<size_t>(end - begin));
  std::iota(list.begin(), list.end(), begin);
  return list;
}

std::vector<int64_t> sequences_of(const PreferenceSet& set, const std::vector<int64_t>& groups) {
  std::vector<int64_t> sequences;
  for (const int64_t number : groups)
    for (int64_t i = 0; i < set.at(number).count; ++i)
      sequences.push_back(set.at(number).first + i);
  return sequences;
}

Tensor score(Model& model, const WholeSequences& batch, const AdapterMix& adapters,
             uint64_t dropout_seed = 0) {
  CausalBatch context(batch.starts);
  AdapterRows rows(std::ssize(batch.ids), adapters);
  rows.set_dropout_seed(dropout_seed);
  context.set_adapters(std::move(rows));
  return sequence_scores(model.hidden(batch.ids, context), model.head(), batch.starts);
}

// All pairs of a group, which share its weight of 1.
void compare(const PreferenceSet::Group& group, const float* rewards, double centring,
             Outcome& outcome, Tally& tally, Calibration* calibration) {
  const auto count = static_cast<size_t>(group.count);
  const double share = 2.0 / static_cast<double>(group.count * (group.count - 1));
  std::vector<double> derivatives(count, 0.0);
  double right = 0, chosen = 0, rejected = 0;
  for (size_t i = 0; i < count; ++i) {
    for (size_t j = i + 1; j < count; ++j) {
      const PairLoss loss = bradley_terry(rewards[i], rewards[j], group.margin, centring);
      outcome.loss += share * loss.value;
      derivatives[i] += share * loss.d_chosen;
      derivatives[j] += share * loss.d_rejected;
      right += rewards[i] > rewards[j] ? share : 0;
      chosen += share * rewards[i];
      rejected += share * rewards[j];
      if (calibration) calibration->add(sigmoid(rewards[i] - rewards[j]), share);
    }
  }
  for (const double each : derivatives) outcome.derivatives.push_back(static_cast<float>(each));
  tally.add("chosen_reward", chosen);
  tally.add("rejected_reward", rejected);
  tally.add("reward_accuracy", right);
}

}  // namespace

RewardObjective::RewardObjective(Model& model, const PreferenceSet& train,
                                 const PreferenceSet* validation, const RewardOptions& options)
    : model_(model),
      train_(train),
      validation_(validation),
      options_(options),
      draws_(train, options.seed) {
  CHECK(has_value_head(model), "a reward model has a value head");
}

double RewardObjective::learn(const Groups& piece, double records, uint64_t dropout_seed,
                              Tally& tally, int64_t& tokens) {
  Tape tape;
  const WholeSequences batch = whole_sequences(train_, sequences_of(train_, piece));
  tokens += static_cast<int64_t>(batch.ids.size());
  const Tensor scores = score(model_, batch, options_.adapters, dropout_seed);
  Outcome outcome;
  const float* next = scores.f32();
  for (const int64_t number : piece) {
    compare(train_.at(number), next, options_.centring, outcome, tally, nullptr);
    next += train_.at(number).count;
  }
  for (float& each : outcome.derivatives) each /= static_cast<float>(records);
  tape.backward(known_loss(scores, outcome.loss / records, std::move(outcome.derivatives)));
  return outcome.loss / records;
}

std::optional<StepLoss> RewardObjective::accumulate(int64_t step) {
  const Json before = draws_.state();
  const Groups groups = draws_.next(options_.records_per_step);
  StepLoss result;
  Tally tally;
  uint64_t seed = splitmix64(options_.seed ^ splitmix64(static_cast<uint64_t>(step)));
  bool begun = false;
  for (const Groups& piece : token_pieces(train_, groups, options_.piece_tokens)) {
    if (begun && stop()) {
      draws_.restore(before);
      return {};
    }
    begun = true;
    result.loss += learn(piece, static_cast<double>(groups.size()), (seed = splitmix64(seed)) | 1,
                         tally, result.tokens);
  }
  tally_.add(tally);
  return result;
}

Validation RewardObjective::validate() {
  if (!validation_) return {};
  const NoTape untaped;
  const PreferenceSet& set = *validation_;
  Outcome outcome;
  Tally tally;
  Calibration calibration;
  for (const Groups& piece : token_pieces(set, numbers(0, set.size()), options_.piece_tokens)) {
    if (stop()) return {.loss = {}, .complete = false};
    const Tensor scores =
        score(model_, whole_sequences(set, sequences_of(set, piece)), options_.adapters);
    const float* next = scores.f32();
    for (const int64_t number : piece) {
      compare(set.at(number), next, options_.centring, outcome, tally, &calibration);
      next += set.at(number).count;
    }
  }
  validation_figures_ = tally.means("val_");
  add_interval(validation_figures_, "val_reward_accuracy", set.size());
  validation_figures_.emplace_back("val_calibration_error", calibration.error());
  return {.loss = outcome.loss / static_cast<double>(set.size())};
}

std::vector<std::pair<std::string, double>> RewardObjective::figures() {
  std::vector<std::pair<std::string, double>> all = tally_.means();
  all.insert(all.end(), validation_figures_.begin(), validation_figures_.end());
  tally_ = Tally();
  validation_figures_.clear();
  return all;
}

Json RewardObjective::state() const {
  return {{"draws", draws_.state()}, {"figures", tally_.to_json()}};
}

void RewardObjective::restore(const Json& state) {
  const std::string where = "the checkpoint's objective";
  draws_.restore(get<Json>(state, "draws", where));
  tally_ = Tally::from_json(get<Json>(state, "figures", where), where);
}

std::vector<double> rewards(Model& model, const PreferenceSet& set, int64_t piece_tokens,
                            const AdapterMix& adapters) {
  const NoTape untaped;
  std::vector<double> all;
  for (const auto& piece : token_pieces(set, numbers(0, set.size()), piece_tokens)) {
    const Tensor scores = score(model, whole_sequences(set, sequences_of(set, piece)), adapters);
    for (const float each : scores.to_vector()) all.push_back(each);
  }
  return all;
}

}  // namespace malssi
