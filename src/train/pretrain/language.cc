#include "train/pretrain/language.h"

#include <algorithm>
#include <chrono>
#include <vector>

#include "base/error.h"
#include "base/random.h"
#include "models/adapter.h"
#include "nn/noisy_batch.h"
#include "ops/loss.h"
#include "tensor/pool.h"
#include "tensor/tape.h"

namespace malssi {
namespace {

// Made-up tokens in one batch of the same shape as `like`.
Batch made_up(const Batch& like, int64_t vocab) {
  Batch batch = like;
  Rng rng(0);
  for (auto& id : batch.ids) id = static_cast<int32_t>(rng.below(vocab));
  for (auto& target : batch.targets) target = static_cast<int32_t>(rng.below(vocab));
  std::fill(batch.weights.begin(), batch.weights.end(), 1.0f);
  return batch;
}

Tensor batch_loss(const Model& model, const HeadLoss& loss, const Tensor& hidden,
                  const Batch& batch, float scale, std::vector<float>* token_losses) {
  if (loss) return loss(hidden, batch, scale, token_losses);
  return lm_loss(hidden, model.head(), batch.targets, batch.weights, scale, token_losses,
                 model.logit_softcap());
}

}  // namespace

LanguageObjective::LanguageObjective(Model& model, BatchSource& train, const BatchList* validation,
                                     const LanguageOptions& options)
    : model_(model), train_(train), validation_(validation), options_(options) {}

std::optional<StepLoss> LanguageObjective::accumulate(int64_t step) {
  const Json before = train_.state();
  std::vector<Batch> pieces;
  double scored = 0;
  StepLoss result;
  for (int64_t i = 0; i < options_.batches_per_step; ++i) {
    pieces.push_back(train_.next());
    scored += pieces.back().scored();
    result.tokens += pieces.back().tokens();
  }
  scored = std::max(scored, 1.0);
  const uint64_t seed = splitmix64(options_.seed ^ splitmix64(static_cast<uint64_t>(step)));
  for (size_t i = 0; i < pieces.size(); ++i) {
    if (i > 0 && stop()) {
      train_.restore(before);
      return {};
    }
    result.loss += learn(pieces[i], scored, splitmix64(seed + i) | 1);
  }
  return result;
}

double LanguageObjective::learn(const Batch& batch, double scored, uint64_t dropout_seed) {
  Tape tape;
  NoisyBatch context(batch.starts, model_.config().dropout > 0 ? dropout_seed : 0,
                     {.alpha = options_.neftune, .seed = dropout_seed});
  AdapterRows adapters(batch.tokens(), options_.adapters);
  adapters.set_dropout_seed(dropout_seed);
  context.set_adapters(std::move(adapters));
  const Tensor hidden = model_.hidden(batch.ids, context);
  const Tensor loss =
      batch_loss(model_, options_.loss, hidden, batch, static_cast<float>(1.0 / scored), nullptr);
  tape.backward(loss);
  return loss.f32()[0];
}

Validation LanguageObjective::validate() {
  if (!validation_) return {};
  double sum = 0, scored = 0;
  for (int64_t i = 0; i < validation_->size(); ++i) {
    if (i > 0 && stop()) return {.loss = {}, .complete = false};
    const Batch batch = validation_->at(i);
    sum += summed_loss(model_, batch, options_.adapters, options_.loss);
    scored += batch.scored();
  }
  if (scored == 0) return {};
  return {.loss = sum / scored};
}

double LanguageObjective::trial() {
  using Clock = std::chrono::steady_clock;
  const Json before = train_.state();
  const Batch batch = made_up(train_.next(), model_.config().vocab);
  train_.restore(before);
  double seconds = 0;
  for (int round = 0; round < 2; ++round) {  // the first prepares products and memory
    const auto begin = Clock::now();
    learn(batch, static_cast<double>(batch.tokens()), 1);
    seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    clear_gradients(model_);
    pool_trim();  // making products takes and leaves memory that using them does not want
    if (seconds > 30) break;
  }
  return seconds / static_cast<double>(batch.tokens());
}

double summed_loss(Model& model, const Batch& batch, const AdapterMix& adapters,
                   const HeadLoss& loss) {
  const NoTape untaped;
  CausalBatch context(batch.starts);
  context.set_adapters({batch.tokens(), adapters});
  std::vector<float> losses;
  batch_loss(model, loss, model.hidden(batch.ids, context), batch, 1.0f, &losses);
  double sum = 0;
  for (const float loss : losses) sum += loss;
  return sum;
}

int64_t rows_per_piece(int64_t rows, int64_t context, int64_t tokens) {
  constexpr int64_t kUsual = 2048;
  const int64_t most = std::max<int64_t>(1, (tokens > 0 ? tokens : kUsual) / context);
  for (int64_t pieces = (rows + most - 1) / most; pieces < rows; ++pieces) {
    if (rows % pieces == 0) return rows / pieces;
  }
  return 1;
}

}  // namespace malssi
