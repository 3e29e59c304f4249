#include "train/tune/classify_objective.h"

#include <algorithm>

#include "base/error.h"
#include "base/random.h"
#include "nn/context.h"
#include "ops/loss.h"
#include "ops/residual.h"
#include "ops/sequence_loss.h"
#include "tensor/tape.h"
#include "train/tune/label_loss.h"

namespace malssi {
namespace {

// Sequences side by side.
struct TextBatch {
  std::vector<int32_t> ids, starts{0};
};

TextBatch batch_of(const LabelledSet& set, const std::vector<int64_t>& numbers) {
  TextBatch batch;
  for (const int64_t number : numbers) {
    const auto& ids = set.sequences[static_cast<size_t>(number)].ids;
    batch.ids.insert(batch.ids.end(), ids.begin(), ids.end());
    batch.starts.push_back(static_cast<int32_t>(batch.ids.size()));
  }
  return batch;
}

// Cuts a set into pieces of about so many tokens, in order.
std::vector<std::vector<int64_t>> pieces_of(const LabelledSet& set, int64_t tokens) {
  std::vector<std::vector<int64_t>> pieces;
  int64_t room = 0;
  for (int64_t number = 0; number < set.size(); ++number) {
    const auto size = static_cast<int64_t>(set.sequences[static_cast<size_t>(number)].ids.size());
    if (pieces.empty() || size > room) {
      pieces.emplace_back();
      room = tokens;
    }
    pieces.back().push_back(number);
    room -= size;
  }
  return pieces;
}

// Leaves out tokens at random, but not the first and the last, which gather texts and mark their ends.
void drop_tokens(std::vector<int32_t>& ids, double part, Rng& rng) {
  size_t kept = 0;
  for (size_t i = 0; i < ids.size(); ++i)
    if (i == 0 || i + 1 == ids.size() || !rng.chance(part)) ids[kept++] = ids[i];
  ids.resize(kept);
}

// The loss of predicting each text's tokens from those before.
Tensor language_loss(const Model& model, const Tensor& hidden, const TextBatch& batch,
                     double scale) {
  std::vector<int32_t> targets(batch.ids.begin() + 1, batch.ids.end());
  targets.push_back(0);
  std::vector<float> weights(batch.ids.size(), 1.f);
  for (size_t s = 1; s < batch.starts.size(); ++s)
    weights[static_cast<size_t>(batch.starts[s]) - 1] = 0;
  return lm_loss(hidden, model.head(), targets, weights, static_cast<float>(scale), nullptr,
                 model.logit_softcap());
}

}  // namespace

int64_t LabelledSet::tokens() const {
  int64_t count = 0;
  for (const LabelledSequence& each : sequences) count += static_cast<int64_t>(each.ids.size());
  return count;
}

ClassifyObjective::ClassifyObjective(Model& model, const LabelledSet& train,
                                     const LabelledSet* validation, const ClassifyOptions& options)
    : model_(model),
      train_(train),
      validation_(validation),
      options_(options),
      draws_(train.size(), train.weights, options.seed) {
  CHECK(labels_of(model), "a classifier has labels");
}

double ClassifyObjective::weight_of(const LabelledSequence& sequence) const {
  return options_.class_weights.empty()
             ? 1
             : options_.class_weights[static_cast<size_t>(sequence.label)];
}

// The texts of a step as they are read this time.
LabelledSet ClassifyObjective::read(const std::vector<int64_t>& records, uint64_t seed) const {
  LabelledSet set;
  Rng rng(seed, 0x70ce);
  for (const int64_t number : records) {
    LabelledSequence sequence = train_.sequences[static_cast<size_t>(number)];
    if (options_.token_dropout > 0) drop_tokens(sequence.ids, options_.token_dropout, rng);
    set.sequences.push_back(std::move(sequence));
  }
  return set;
}

ClassifyObjective::Scale ClassifyObjective::scale_of(const LabelledSet& records) const {
  double weights = 0, predicted = 0;
  for (const LabelledSequence& sequence : records.sequences) {
    weights += weight_of(sequence);
    predicted += static_cast<double>(sequence.ids.size()) - 1;
  }
  return {.label = 1 / weights, .language = options_.lm_weight / std::max(predicted, 1.0)};
}

double ClassifyObjective::confidence_at(int64_t step) const {
  const double part = static_cast<double>(step) /
                      static_cast<double>(std::max<int64_t>(options_.confidence_steps, 1));
  return options_.confidence * std::min(part, 1.0);
}

double ClassifyObjective::learn(const LabelledSet& set, const Piece& piece, const Scale& scale,
                                double confidence, uint64_t dropout_seed) {
  Tape tape;
  const TextBatch batch = batch_of(set, piece);
  const uint64_t seed = model_.config().dropout > 0 ? dropout_seed : 0;
  CausalBatch context(batch.starts, seed);
  const Tensor hidden = model_.hidden(batch.ids, context);
  const Tensor scores = label_scores(model_, hidden, batch.starts, seed);
  const int64_t labels = scores.dim(1);
  double value = 0;
  std::vector<float> derivatives;
  for (size_t i = 0; i < piece.size(); ++i) {
    const LabelledSequence& sequence = set.sequences[static_cast<size_t>(piece[i])];
    const float* own = scores.f32() + static_cast<int64_t>(i) * labels;
    std::vector<float> row(own, own + labels);
    for (size_t j = 0; j < sequence.ngram_scores.size(); ++j) row[j] += sequence.ngram_scores[j];
    const LabelLoss loss =
        labels_of(model_)->is_regression
            ? regression_loss(row, sequence.value)
            : confident_loss(row, sequence.label, weight_of(sequence), confidence);
    value += scale.label * loss.value;
    for (const double each : loss.derivatives)
      derivatives.push_back(static_cast<float>(scale.label * each));
  }
  Tensor loss = known_loss(scores, value, std::move(derivatives));
  if (options_.lm_weight > 0)
    loss = residual_add(loss, language_loss(model_, hidden, batch, scale.language));
  tape.backward(loss);
  return value;
}

std::optional<StepLoss> ClassifyObjective::accumulate(int64_t step) {
  const int64_t before = draws_.drawn();
  const std::vector<int64_t> records = draws_.next(options_.records_per_step);
  const uint64_t seed = splitmix64(options_.seed ^ splitmix64(static_cast<uint64_t>(step)));
  const LabelledSet set = read(records, seed);
  const Scale scale = scale_of(set);
  StepLoss result;
  uint64_t number = 0;
  for (const Piece& piece : pieces_of(set, options_.piece_tokens)) {
    if (number > 0 && stop()) {
      draws_.restore(before);
      return {};
    }
    result.loss += learn(set, piece, scale, confidence_at(step), splitmix64(seed + number++) | 1);
  }
  result.tokens = set.tokens();
  return result;
}

Validation ClassifyObjective::validate() {
  if (!validation_) return {};
  const NoTape untaped;
  const bool is_regression = labels_of(model_)->is_regression;
  const auto count = static_cast<double>(validation_->size());
  double loss = 0, right = 0, sum = 0, squares = 0;
  for (const Piece& piece : pieces_of(*validation_, options_.piece_tokens)) {
    if (stop()) return {.loss = {}, .complete = false};
    const TextBatch batch = batch_of(*validation_, piece);
    CausalBatch context(batch.starts);
    const Tensor scores = label_scores(model_, model_.hidden(batch.ids, context), batch.starts);
    const int64_t labels = scores.dim(1);
    for (size_t i = 0; i < piece.size(); ++i) {
      const LabelledSequence& each = validation_->sequences[static_cast<size_t>(piece[i])];
      const float* own = scores.f32() + static_cast<int64_t>(i) * labels;
      std::vector<float> row(own, own + labels);
      add_ngram_scores(model_, each.ngrams, row);
      loss += is_regression ? regression_loss(row, each.value).value
                            : class_loss(row, each.label, 1).value;
      right += std::max_element(row.begin(), row.end()) - row.begin() == each.label;
      sum += each.value;
      squares += each.value * each.value;
    }
  }
  const double variance = squares - sum * sum / count;
  validation_figures_.clear();
  if (!is_regression)
    validation_figures_ = {{"val_accuracy", right / count}};
  else if (variance > 0)
    validation_figures_ = {{"val_r_squared", 1 - loss / variance}};
  return {.loss = loss / count};
}

std::vector<std::pair<std::string, double>> ClassifyObjective::figures() {
  return std::exchange(validation_figures_, {});
}

Json ClassifyObjective::state() const {
  return {{"texts", train_.size()},
          {"tokens", train_.tokens()},
          {"seed", options_.seed},
          {"drawn", draws_.drawn()}};
}

void ClassifyObjective::restore(const Json& state) {
  const std::string where = "the checkpoint's objective";
  const Json here = this->state();
  for (const std::string key : {"texts", "tokens", "seed"}) {
    const Json then = get<Json>(state, key, where);
    REQUIRE(then == here[key], where, ": \"", key, "\" was ", dump_json(then), " and is ",
            dump_json(here[key]), ": continue with the same data and options");
  }
  draws_.restore(get<int64_t>(state, "drawn", where));
}

}  // namespace malssi
