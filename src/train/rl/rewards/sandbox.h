// Runs a command that nobody vouches for: a process group of its own with limits on time, memory, files and processes, which
// ends with everything it began. Where the system permits it (sandbox_isolates()), it also has no network, can signal no other
// process, and can write nowhere but in its folder.
#pragma once

#include <cstdint>
#include <string>

#include "base/file.h"

namespace malssi {

struct SandboxLimits {
  double seconds = 10;  // by the clock; of the processor as many, for each process
  int64_t memory_bytes = int64_t{2} << 30;  // of addresses, for each process
  int64_t file_bytes = int64_t{64} << 20;   // of each file it writes
  int64_t processes = 64;  // where it has a namespace of its own; the kernel exempts root
  int64_t output_bytes = int64_t{64} << 10;  // that are kept; more are read and dropped
};

struct SandboxResult {
  enum class End { exited, killed, timed_out };
  End end = End::exited;
  int code = 0;        // of exited: the status; of killed: the signal
  std::string output;  // standard output; standard error is dropped
};

// /bin/sh runs the command in `folder`, which must exist, with standard input from the file `input` and an environment of PATH,
// HOME and TMPDIR (the folder), LANG. Throws Error when no process can be made. May be called by several threads.
SandboxResult run_sandboxed(const std::string& command, const fs::path& folder,
                            const fs::path& input, const SandboxLimits& limits);

// Whether this system lets a command be kept apart: it needs user namespaces and Linux 5.12.
bool sandbox_isolates();

// How it ended, for people: "exited with status 3", "was killed by signal 9", "took more than 10 s".
std::string describe(const SandboxResult& result, const SandboxLimits& limits);

}  // namespace malssi
