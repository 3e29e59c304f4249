// The one transformer behind all families: embedding, blocks, final norm, output layer, as a Design says.
#pragma once

#include "models/design.h"
#include "models/model.h"

namespace malssi {

std::unique_ptr<Model> make_decoder(const ModelConfig& config, const Design& design, DType compute,
                                    std::optional<uint64_t> seed);

// The activation of this name in config.json ("gelu_new", "silu", ...), which only a Design may take; others: silu.
Activation activation_named(std::string_view name);
// Throws Error where the family's design cannot have this activation.
void check_activation(std::string_view family, const Design& design, std::string_view name);

}  // namespace malssi
