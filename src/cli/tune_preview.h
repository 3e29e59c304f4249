// malssi tune preview: what a tuning run would learn from its data.
#pragma once

#include "cli/commands.h"

namespace malssi {

void add_tune_preview(CLI::App& tune, Runner& runner);

}  // namespace malssi
