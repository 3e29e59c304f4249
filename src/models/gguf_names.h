// GGUF's description of a model: metadata keys and the few tensors that are no weights (rotary factors). Names of weights are
// WeightPart::gguf.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "models/gguf_value.h"
#include "models/model.h"

namespace malssi {

// What a GGUF file holds besides weights.
class GgufKeys {
 public:
  virtual ~GgufKeys() = default;
  // Null where there is no such key.
  virtual const GgufValue* find(std::string_view key) const = 0;
  // The numbers of a tensor of at most 65536 of them; empty where there is none of this name.
  virtual std::vector<double> numbers(std::string_view tensor) const = 0;
  virtual bool has_tensor(std::string_view name) const = 0;
};

// Throws Error beginning with `where` for an unknown architecture, with the known ones, and for keys that are missing or cannot be.
ModelConfig config_from_gguf(const GgufKeys& keys, std::string_view where);

// general.architecture and all keys of the model; not those of the tokenizer. Throws Error where GGUF has no such architecture.
void gguf_keys(const Model& model,
               const std::function<void(std::string key, GgufValue value)>& put);
// The tensors that a file needs besides the weights.
std::vector<NamedTensor> gguf_extra_tensors(const Model& model);

}  // namespace malssi
