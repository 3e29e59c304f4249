// Tuning a part of a model's own weights, with the others frozen.
#pragma once

#include <cstdint>
#include <string>

#include "train/run/trained.h"

namespace malssi {

struct TrainedPart {
  int64_t last_layers =
      0;  // above 0: the last layers, the norm after them and an output layer of its own
  std::string trainable =
      {};  // not empty: published names without ".weight", by ends or an expression
};

// Leaves in `trained`, which has all of the model's weights, those of the part, and freezes the others. Error: there is nothing in
// the part, or more layers are asked for than there are.
void choose_trained(Model& model, const TrainedPart& part, Trained& trained);

// Error: the model got tokens that the folder's has not, and its embedding is frozen.
void check_new_tokens(const fs::path& folder, const Model& model, const Trained& trained);

}  // namespace malssi
