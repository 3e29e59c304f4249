// What tells whether a model's weights are those that an adapter was trained beside.
#pragma once

#include <string>

#include "base/file.h"

namespace malssi {

// A hash of the weights as the model's files hold them, 16 hexadecimal digits. Error: no model there.
std::string weights_digest(const fs::path& model_or_run);

}  // namespace malssi
