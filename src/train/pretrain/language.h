// The objective of language modelling: predict the next token. The tokens of an optimiser step go
// through the model in pieces (micro-batches); the loss is the mean over the scored tokens of all
// pieces together, so the pieces' number and sizes do not change the gradient.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "data/batches.h"
#include "models/model.h"
#include "train/run/objective.h"

namespace malssi {

// From hidden [N, D] of a batch: scale * the sum of its tokens' losses, to be the end of a tape; token_losses, when given,
// receives them unscaled.
using HeadLoss = std::function<Tensor(const Tensor& hidden, const Batch& batch, float scale,
                                      std::vector<float>* token_losses)>;

struct LanguageOptions {
  int64_t batches_per_step = 1;
  uint64_t seed = 1;                          // of dropout
  AdapterMix adapters = {};                   // that act on every token
  double neftune = 0;                         // noise of embeddings: alpha of nn/noisy_batch.h
  HeadLoss loss = {};                         // none: cross-entropy
  std::function<bool()> stop_requested = {};  // asked between pieces
};

class LanguageObjective : public Objective {
 public:
  // References must outlive this; validation may be null.
  LanguageObjective(Model& model, BatchSource& train, const BatchList* validation,
                    const LanguageOptions& options);

  std::optional<StepLoss> accumulate(int64_t step) override;
  Validation validate() override;
  Json state() const override { return train_.state(); }
  void restore(const Json& state) override { train_.restore(state); }

  // Seconds per token of a forward and backward pass, measured on one piece of made-up tokens;
  // leaves no gradient and no trace in the data's position.
  double trial();

 private:
  double learn(const Batch& batch, double scored, uint64_t dropout_seed);
  bool stop() const { return options_.stop_requested && options_.stop_requested(); }

  Model& model_;
  BatchSource& train_;
  const BatchList* validation_;
  LanguageOptions options_;
};

// Sum of the losses of a batch's scored tokens, without a gradient. loss: as of LanguageOptions.
double summed_loss(Model& model, const Batch& batch, const AdapterMix& adapters = {},
                   const HeadLoss& loss = {});

// The rows of one piece: a divisor of `rows`, as near to tokens / context as it can be without
// going above it (at least 1). tokens 0: what keeps the activations of a piece small without
// splitting products that are small already.
int64_t rows_per_piece(int64_t rows, int64_t context, int64_t tokens);

}  // namespace malssi
