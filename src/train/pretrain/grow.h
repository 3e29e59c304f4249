// A model made over: more tokens, a longer context, another dropout.
#pragma once

#include <cstdint>
#include <memory>

#include "models/model.h"

namespace malssi {

struct GrowOptions {
  int64_t vocab = 0;  // tokens from now on; at least as many as before
  double dropout = 0;
  int64_t context = 0;  // at least so many tokens of a sequence
};

// The same weights in a model with these options. The embeddings of new tokens are the mean of the
// old ones, so that at first none is likelier than another. For a context n times as long the base
// of the rotary angles grows by n^(d / (d - 2)), heads being d wide: the slowest angle goes as far as
// before over the whole context, the fastest stays as it is (NTK-aware interpolation; Peng et al.
// 2023, YaRN, section 3.1). Throws Error where positions are learned, or scaled already.
std::unique_ptr<Model> grown(Model& model, const GrowOptions& options);

}  // namespace malssi
