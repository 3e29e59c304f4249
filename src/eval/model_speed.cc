#include "eval/model_speed.h"

#include <algorithm>
#include <chrono>

#include "base/error.h"
#include "base/format.h"
#include "base/random.h"
#include "data/batches.h"
#include "infer/model_predictor.h"
#include "optim/optimizer.h"
#include "train/pretrain/language.h"

namespace malssi {
namespace {

double now() {
  using Clock = std::chrono::steady_clock;
  return std::chrono::duration<double>(Clock::now().time_since_epoch()).count();
}

std::vector<int32_t> made_up_tokens(int64_t count, int64_t vocab) {
  Rng rng(1);
  std::vector<int32_t> ids(static_cast<size_t>(count));
  for (int32_t& id : ids) id = static_cast<int32_t>(rng.below(vocab));
  return ids;
}

// Endless batches of made-up tokens, one sequence a row.
class MadeUpBatches : public BatchSource {
 public:
  MadeUpBatches(int64_t rows, int64_t context, int64_t vocab) {
    batch_.ids = made_up_tokens(rows * context, vocab);
    batch_.targets = batch_.ids;
    std::ranges::rotate(batch_.targets, batch_.targets.begin() + 1);
    batch_.weights.assign(batch_.ids.size(), 1.0f);
    for (int64_t row = 0; row <= rows; ++row)
      batch_.starts.push_back(static_cast<int32_t>(row * context));
  }
  Batch next() override { return batch_; }
  double epochs() const override { return 0; }
  int64_t batches_per_epoch() const override { return 1; }
  Json state() const override { return Json::object(); }
  void restore(const Json&) override {}

 private:
  Batch batch_;
};

// Of the weights that a pass multiplies by: of an embedding that is no output layer only single rows are read.
int64_t weight_bytes(Model& model) {
  const ModelConfig& config = model.config();
  int64_t bytes = 0;
  model.visit([&](const Parameter& p) {
    const bool is_looked_up =
        p.kind == ParameterKind::embedding && p.name != "head.weight" && !config.tied;
    if (is_looked_up) return;
    const bool is_held = p.held != nullptr && !p.held->empty();
    if (!is_held) bytes += p.value->bytes();
    if (is_held)
      for (const Tensor& part : *p.held) bytes += part.bytes();
  });
  return bytes;
}

void check_fits(Model& model, std::string_view what, int64_t tokens) {
  REQUIRE(tokens >= 1 && tokens <= model.config().context, what, " of ", tokens,
          " tokens does not fit the model's context of ", model.config().context);
}

}  // namespace

RoundTimes measure_rounds(const std::function<void()>& round, const SpeedOptions& options) {
  constexpr int64_t kFewest = 3;
  std::vector<double> seconds;
  round();
  const double begin = now();
  do {
    REQUIRE(!options.cancelled || !options.cancelled(), "stopped while measuring");
    const double start = now();
    round();
    seconds.push_back(now() - start);
  } while (static_cast<int64_t>(seconds.size()) < kFewest || now() - begin < options.seconds);
  std::ranges::sort(seconds);
  return {.rounds = static_cast<int64_t>(seconds.size()),
          .median_seconds = seconds[seconds.size() / 2],
          .best_seconds = seconds.front()};
}

TrainingSpeed measure_training(Model& model, const TrainingShape& shape, const OptimSettings& optim,
                               const SpeedOptions& options) {
  check_fits(model, "a sequence", shape.context);
  REQUIRE(shape.rows >= 1, "a training step of ", shape.rows, " sequences: give at least 1");
  TrainingSpeed speed{.shape = shape};
  int64_t& rows_at_once = speed.shape.rows_at_once;
  if (rows_at_once == 0) rows_at_once = rows_per_piece(shape.rows, shape.context, 0);
  MadeUpBatches batches(rows_at_once, shape.context, model.config().vocab);
  LanguageObjective objective(model, batches, nullptr,
                              {.batches_per_step = shape.rows / rows_at_once});
  const auto optimizer = make_optimizer(model, optimizer_options(optim));
  int64_t step = 0;
  speed.steps = measure_rounds(
      [&] {
        objective.accumulate(step++);
        optimizer->clip(optim.clip);
        optimizer->step(optim.lr);
        optimizer->clear_gradients();
      },
      options);
  speed.tokens_per_second =
      static_cast<double>(shape.rows * shape.context) / speed.steps.median_seconds;
  speed.flops = speed.tokens_per_second * model.training_flops_per_token(shape.context);
  speed.memory_bytes = peak_memory_bytes();
  return speed;
}

PrefillSpeed measure_prefill(Model& model, int64_t tokens, int64_t past,
                             const SpeedOptions& options) {
  check_fits(model, "a prompt", past + tokens);
  ModelPredictor predictor(model, 1, past + tokens, options.cache);
  const std::vector<int32_t> all = made_up_tokens(past + tokens, model.config().vocab);
  const std::span<const int32_t> ids = std::span(all).subspan(static_cast<size_t>(past));
  if (past > 0) prefill(predictor, 0, std::span(all).first(static_cast<size_t>(past)));
  PrefillSpeed speed{.tokens = tokens};
  speed.passes = measure_rounds(
      [&] {
        predictor.truncate(0, past);
        prefill(predictor, 0, ids);
      },
      options);
  speed.tokens_per_second = static_cast<double>(tokens) / speed.passes.median_seconds;
  speed.flops = speed.tokens_per_second * model.training_flops_per_token(tokens) / 3;
  return speed;
}

DecodeSpeed measure_decode(Model& model, int64_t sequences, int64_t past,
                           const SpeedOptions& options) {
  check_fits(model, "a sequence", past + 1);
  REQUIRE(sequences >= 1, "writing ", sequences, " sequences: give at least 1");
  ModelPredictor predictor(model, sequences, past + 1, options.cache);
  const std::vector<int32_t> ids = made_up_tokens(past + 1, model.config().vocab);
  std::vector<Predictor::Piece> pieces;
  for (int64_t slot = 0; slot < sequences; ++slot) {
    if (past > 0) prefill(predictor, slot, std::span(ids).first(static_cast<size_t>(past)));
    pieces.push_back({.slot = slot, .ids = std::span(ids).last(1)});
  }
  DecodeSpeed speed{.sequences = sequences, .past = past};
  speed.passes = measure_rounds(
      [&] {
        for (int64_t slot = 0; slot < sequences; ++slot) predictor.truncate(slot, past);
        predictor.feed(pieces);
      },
      options);
  speed.tokens_per_second = static_cast<double>(sequences) / speed.passes.median_seconds;
  const int64_t bytes = weight_bytes(model) + sequences * past * predictor.cache().token_bytes();
  speed.read_bytes = static_cast<double>(bytes) / speed.passes.median_seconds;
  return speed;
}

}  // namespace malssi
