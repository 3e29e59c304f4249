// GGUF's spelling of the families: architecture, configuration keys, and tensor names.
#pragma once

#include <string>
#include <string_view>

#include "io/gguf.h"
#include "io/gguf_writer.h"
#include "models/model.h"

namespace malssi {

// Error: an architecture that is not known, with those that are; a key that is missing or makes no sense.
ModelConfig config_from_gguf(const Gguf& file);
// CHECKs that the family is one of those.
void put_config(const ModelConfig& config, GgufWriter& writer);

// Where a weight with this published name lies.
struct GgufPlace {
  std::string name;
  int64_t paired_heads = 0;  // so many heads whose rotary rows lie in pairs; 0: as published
};
// Error: a name that GGUF has none for.
GgufPlace gguf_place(const ModelConfig& config, std::string_view published);

}  // namespace malssi
