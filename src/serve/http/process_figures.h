// What this process takes of the machine, in the names that Prometheus' clients use.
#pragma once

#include <string>

namespace malssi {

// process_resident_memory_bytes, process_open_fds, process_max_fds, process_cpu_seconds_total, process_start_time_seconds.
std::string process_figures();
int64_t open_descriptors();
// Lets the process open as many files as the system allows it; returns how many.
int64_t raise_descriptor_limit();

}  // namespace malssi
