#include "serve/http/process_figures.h"

#include <dirent.h>
#include <sys/resource.h>

#include <chrono>

#include "base/error.h"
#include "base/format.h"

namespace malssi {
namespace {

double seconds_since_1970() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}
const double started_at = seconds_since_1970();

double cpu_seconds() {
  rusage used = {};
  ::getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

rlimit descriptor_limit() {
  rlimit limit = {};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  return limit;
}

template <class T>
std::string figure(std::string_view name, std::string_view type, T value) {
  std::ostringstream out;
  out.precision(15);
  out << "# TYPE " << name << ' ' << type << '\n' << name << ' ' << value << '\n';
  return out.str();
}

}  // namespace

int64_t open_descriptors() {
  DIR* folder = ::opendir("/proc/self/fd");
  if (!folder) return 0;
  int64_t count = -3;  // ".", "..", and this folder itself
  while (::readdir(folder)) ++count;
  ::closedir(folder);
  return count;
}

int64_t raise_descriptor_limit() {
  rlimit limit = descriptor_limit();
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  return static_cast<int64_t>(descriptor_limit().rlim_cur);
}

std::string process_figures() {
  return figure("process_resident_memory_bytes", "gauge", process_memory_bytes()) +
         figure("process_open_fds", "gauge", open_descriptors()) +
         figure("process_max_fds", "gauge", descriptor_limit().rlim_cur) +
         figure("process_cpu_seconds_total", "counter", cpu_seconds()) +
         figure("process_start_time_seconds", "gauge", started_at);
}

}  // namespace malssi
