// Stopping politely: the first SIGINT or SIGTERM asks, the second ends the process at once.
#pragma once

#include <signal.h>

namespace malssi {

// While one lives, SIGINT and SIGTERM only set a flag; a second signal before clear() exits with
// 130. The destructor restores what was before. May be nested; the outermost starts with the flag
// down, and the flag outlives it.
class StopSignal {
 public:
  StopSignal();
  ~StopSignal();
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;

  static bool requested();
  static void clear();

 private:
  struct sigaction before_interrupt_, before_terminate_;
};

}  // namespace malssi
