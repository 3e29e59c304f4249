// A model with an adapter's effect in its weights.
#pragma once

#include "io/adapter_file.h"
#include "io/model_source.h"

namespace malssi {

// From now on source.find() gives the weights that the adapter changes as they are with it, in f32: W + weight scale B A, rescaled
// where it is DoRA; IA3's factors; norms. Error: it does not fit the model, or is of a kind that no weights can hold (bottlenecks,
// virtual tokens).
void merge_adapter(ModelSource& source, const fs::path& adapter, double weight);

}  // namespace malssi
