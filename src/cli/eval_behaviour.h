// malssi eval behaviour: what training did to a model's behaviour.
#pragma once

#include "cli/commands.h"

namespace malssi {

void add_eval_behaviour(CLI::App& eval, Runner& runner);

}  // namespace malssi
