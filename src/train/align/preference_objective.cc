#include "train/align/preference_objective.h"

#include <numeric>

#include "base/error.h"
#include "base/random.h"
#include "ops/sequence_loss.h"
#include "tensor/tape.h"
#include "train/align/calibration.h"

namespace malssi {
namespace {

Tensor log_probs(Model& model, Batch batch, const AdapterMix& adapters, uint64_t dropout_seed = 0) {
  CausalBatch context(batch.starts);
  AdapterRows rows(batch.tokens(), adapters);
  rows.set_dropout_seed(dropout_seed);
  context.set_adapters(std::move(rows));
  const Tensor hidden = model.hidden(batch.ids, context);
  const ScoredTokens tokens{.targets = std::move(batch.targets),
                            .weights = std::move(batch.weights),
                            .starts = std::move(batch.starts)};
  return sequence_log_probs(hidden, model.head(), tokens, model.logit_softcap());
}

AnswerLogProb answer_of(const ComparedSet& data, int64_t sequence, float policy) {
  return {.policy = policy,
          .reference = data.reference.empty() ? 0 : data.reference[static_cast<size_t>(sequence)],
          .tokens = data.set.sequence(sequence).answer_tokens};
}

void note_pair(const PairLogProbs& pair, const PairLoss& loss, Tally& tally) {
  tally.add("chosen_reward", loss.chosen_reward);
  tally.add("rejected_reward", loss.rejected_reward);
  tally.add("reward_accuracy", loss.chosen_reward > loss.rejected_reward ? 1 : 0);
  tally.add("chosen_log_prob", pair.chosen.policy);
  tally.add("rejected_log_prob", pair.rejected.policy);
}

// Right: likelier than the reference finds it where it was liked, else less likely.
void note_judged(const AnswerLogProb& answer, const JudgedLoss& loss, Verdict verdict,
                 Tally& tally) {
  const bool liked = verdict == Verdict::liked;
  tally.add(liked ? "chosen_reward" : "rejected_reward", loss.reward);
  tally.add("reward_accuracy", (loss.reward > 0) == liked ? 1 : 0);
  tally.add(liked ? "chosen_log_prob" : "rejected_log_prob", answer.policy);
}

std::vector<int64_t> numbers(int64_t begin, int64_t end) {
  std::vector<int64_t> list(static_cast<size_t>(end - begin));
  std::iota(list.begin(), list.end(), begin);
  return list;
}

}  // namespace

PreferenceObjective::PreferenceObjective(Model& model, const ComparedSet& train,
                                         const ComparedSet* validation,
                                         const PreferenceOptions& options)
    : model_(model),
      train_(train),
      validation_(validation),
      options_(options),
      draws_(train.set, options.seed) {}

// The sequences whose likelihood is to change, group after group.
std::vector<int64_t> PreferenceObjective::compared(const PreferenceSet& set,
                                                   const Groups& groups) const {
  std::vector<int64_t> sequences;
  for (const int64_t number : groups) {
    sequences.push_back(set.at(number).first);
    if (!options_.method.judges()) sequences.push_back(set.at(number).first + 1);
  }
  return sequences;
}

PreferenceObjective::Outcome PreferenceObjective::outcome(const ComparedSet& data,
                                                          const Groups& groups,
                                                          const float* log_probs, double z0,
                                                          Tally& tally) const {
  const PreferenceMethod& method = options_.method;
  Outcome result;
  for (const int64_t number : groups) {
    const PreferenceSet::Group& group = data.set.at(number);
    const AnswerLogProb first = answer_of(data, group.first, *log_probs++);
    if (method.judges()) {
      const Verdict verdict = group.liked ? Verdict::liked : Verdict::disliked;
      const JudgedLoss loss = judged_loss(method, first, verdict, z0);
      result.loss += loss.value;
      result.derivatives.push_back(static_cast<float>(loss.derivative));
      note_judged(first, loss, verdict, tally);
      continue;
    }
    const PairLogProbs pair{.chosen = first,
                            .rejected = answer_of(data, group.first + 1, *log_probs++)};
    const PairLoss loss = pair_loss(method, pair);
    result.loss += loss.value;
    result.derivatives.push_back(static_cast<float>(loss.d_chosen));
    result.derivatives.push_back(static_cast<float>(loss.d_rejected));
    note_pair(pair, loss, tally);
  }
  return result;
}

double PreferenceObjective::learn(const Groups& piece, double records, double z0,
                                  uint64_t dropout_seed, Tally& tally) {
  Tape tape;
  const Tensor sums = log_probs(model_, sequence_batch(train_.set, compared(train_.set, piece)),
                                options_.adapters, dropout_seed);
  Outcome result = outcome(train_, piece, sums.f32(), z0, tally);
  for (float& each : result.derivatives) each /= static_cast<float>(records);
  tape.backward(known_loss(sums, result.loss / records, std::move(result.derivatives)));
  return result.loss / records;
}

std::optional<double> PreferenceObjective::baseline(const ComparedSet& data,
                                                    const std::vector<Groups>& pieces) {
  if (!options_.method.judges()) return 0;
  const NoTape untaped;
  std::vector<AnswerLogProb> answers;
  for (const Groups& piece : pieces) {
    if (stop()) return {};
    std::vector<int64_t> sequences;
    for (const int64_t number : piece) sequences.push_back(data.set.at(number).first + 1);
    const Tensor sums = log_probs(model_, sequence_batch(data.set, sequences), options_.adapters);
    for (size_t i = 0; i < sequences.size(); ++i)
      answers.push_back(answer_of(data, sequences[i], sums.f32()[i]));
  }
  return kto_baseline(answers);
}

std::optional<StepLoss> PreferenceObjective::accumulate(int64_t step) {
  const Json before = draws_.state();
  const Groups groups = draws_.next(options_.records_per_step);
  const std::vector<Groups> pieces = token_pieces(train_.set, groups, options_.piece_tokens);
  const std::optional<double> z0 = baseline(train_, pieces);
  const uint64_t seed = splitmix64(options_.seed ^ splitmix64(static_cast<uint64_t>(step)));
  StepLoss result;
  Tally tally;
  bool stopped = !z0;
  for (size_t i = 0; i < pieces.size() && !stopped; ++i) {
    stopped = i > 0 && stop();
    if (stopped) break;
    result.loss +=
        learn(pieces[i], static_cast<double>(groups.size()), *z0, splitmix64(seed + i) | 1, tally);
    for (const int64_t sequence : compared(train_.set, pieces[i]))
      result.tokens += static_cast<int64_t>(train_.set.sequence(sequence).ids.size()) - 1;
  }
  if (stopped) {
    draws_.restore(before);
    return {};
  }
  tally_.add(tally);
  return result;
}

Validation PreferenceObjective::validate() {
  if (!validation_) return {};
  const NoTape untaped;
  const ComparedSet& data = *validation_;
  double sum = 0;
  Tally tally;
  // As in training, z0 is estimated over the records of one step.
  for (int64_t begin = 0; begin < data.set.size(); begin += options_.records_per_step) {
    const int64_t end = std::min(begin + options_.records_per_step, data.set.size());
    const auto pieces = token_pieces(data.set, numbers(begin, end), options_.piece_tokens);
    const std::optional<double> z0 = baseline(data, pieces);
    if (!z0) return {.loss = {}, .complete = false};
    for (const Groups& piece : pieces) {
      if (stop()) return {.loss = {}, .complete = false};
      const Tensor sums =
          log_probs(model_, sequence_batch(data.set, compared(data.set, piece)), options_.adapters);
      sum += outcome(data, piece, sums.f32(), *z0, tally).loss;
    }
  }
  validation_tally_ = tally;
  return {.loss = sum / static_cast<double>(data.set.size())};
}

std::vector<std::pair<std::string, double>> PreferenceObjective::figures() {
  std::vector<std::pair<std::string, double>> all = tally_.means();
  auto held_out = validation_tally_.means("val_");
  if (validation_) add_interval(held_out, "val_reward_accuracy", validation_->set.size());
  all.insert(all.end(), held_out.begin(), held_out.end());
  tally_ = validation_tally_ = Tally();
  return all;
}

Json PreferenceObjective::state() const {
  return {{"draws", draws_.state()}, {"figures", tally_.to_json()}};
}

void PreferenceObjective::restore(const Json& state) {
  const std::string where = "the checkpoint's objective";
  draws_.restore(get<Json>(state, "draws", where));
  tally_ = Tally::from_json(get<Json>(state, "figures", where), where);
}

std::vector<double> answer_log_probs(Model& model, const PreferenceSet& set, int64_t piece_tokens,
                                     const std::function<void(int64_t)>& progress) {
  const NoTape untaped;
  std::vector<double> all;
  for (const auto& piece : token_pieces(set, numbers(0, set.size()), piece_tokens)) {
    const auto& last = set.at(piece.back());
    const std::vector<int64_t> sequences =
        numbers(set.at(piece.front()).first, last.first + last.count);
    const Tensor sums = log_probs(model, sequence_batch(set, sequences), {});
    for (size_t i = 0; i < sequences.size(); ++i) all.push_back(sums.f32()[i]);
    if (progress) progress(std::ssize(all));
  }
  return all;
}

}  // namespace malssi
