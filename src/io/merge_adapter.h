// A model with an adapter's products added into its weights.
#pragma once

#include "io/adapter_file.h"
#include "io/model_source.h"

namespace malssi {

// From now on source.find() gives W + weight scale B A, in f32, for the matrices that the adapter changes. Error: it does not
// fit the model.
void merge_adapter(ModelSource& source, const fs::path& adapter, double weight);

}  // namespace malssi
