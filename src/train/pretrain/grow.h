// A model made over: more tokens, another dropout.
#pragma once

#include <cstdint>
#include <memory>

#include "models/model.h"

namespace malssi {

struct GrowOptions {
  int64_t vocab = 0;  // tokens from now on; at least as many as before
  double dropout = 0;
};

// The same weights in a model with these options. The embeddings of new tokens are the mean of the
// old ones, so that at first none is likelier than another.
std::unique_ptr<Model> grown(Model& model, const GrowOptions& options);

}  // namespace malssi
