// Packs a model's tables of its vocabulary, for models that are only learned beside: the embedding and the output layer, which
// import_packed_weights() leaves dense.
#pragma once

#include "models/model.h"

namespace malssi {

// Holds every dense table with a row for each token in a block format, in panels; a tied one once, for look-ups and products. They
// get no gradient. Throws Error: rows that are no whole blocks, numbers that cannot be packed.
void pack_tables(Model& model, DType format);

}  // namespace malssi
