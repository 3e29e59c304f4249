// malssi eval classify: a classifier or a regression against labelled texts.
#pragma once

#include "cli/commands.h"

namespace malssi {

void add_eval_classify(CLI::App& eval, Runner& runner);

}  // namespace malssi
