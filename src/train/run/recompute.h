// Whether a run keeps what its model's blocks compute for the backward pass, or computes it again (train.recompute).
#pragma once

#include <cstdint>

#include "models/model.h"
#include "train/run/settings.h"
#include "train/run/trained.h"

namespace malssi {

// About how many bytes the blocks of a model keep of each token for the backward pass.
int64_t kept_bytes_per_token(const Model& model);

// "auto" keeps everything unless that takes more than half of what the weights, their gradients and the optimiser leave of
// `memory` bytes.
KeepForBackward kept_for_backward(const TrainSettings& train, const OptimSettings& optim,
                                  const Trained& trained, Model& model, int64_t memory);
// Of this machine's memory.
KeepForBackward kept_for_backward(const TrainSettings& train, const OptimSettings& optim,
                                  const Trained& trained, Model& model);

}  // namespace malssi
