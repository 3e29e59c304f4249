// Going on with a run that was stopped, whatever its kind.
#pragma once

#include <string>
#include <vector>

#include "base/console.h"
#include "train/run/session.h"

namespace malssi {

// From the newest whole checkpoint (from the beginning where there is none yet) to the same weights
// as if it had never stopped: same build, same number of threads. settings: "key=value", to change
// some (more steps, another rate). Error: no run there, or another process is writing it.
RunResult resume_run(const fs::path& run, const std::vector<std::string>& settings,
                     Console& console);

}  // namespace malssi
