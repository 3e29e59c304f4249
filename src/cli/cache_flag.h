// --cache-type: what a model's keys and values are kept in.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>

#include "kernels/dtype.h"

namespace malssi {

// Registers the flag; `chosen` must live until the command has run. Without the flag it stays as it is.
void add_cache_flag(CLI::App& command, std::optional<DType>& chosen, const std::string& help);

}  // namespace malssi
