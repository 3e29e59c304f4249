// llama2.c's legacy checkpoint: seven int32 (width, hidden, layers, heads, key/value heads, vocabulary, context), then f32
// weights in a fixed order, each kind for all layers, and two tables of rotary angles. A negative vocabulary: the output layer
// has weights of its own, which follow at the end.
#pragma once

#include "io/model_source.h"

namespace malssi {

// The model, without a tokenizer. Error: the file has not the size that its header asks for.
ModelSource open_llama2c(const fs::path& file);

}  // namespace malssi
