#include "base/signal.h"

#include <unistd.h>

#include <atomic>

namespace malssi {
namespace {

std::atomic<int> requests{0};
std::atomic<int> holders{0};
static_assert(std::atomic<int>::is_always_lock_free, "used in a signal handler");

void on_stop(int) {
  if (requests.fetch_add(1) > 0) ::_exit(130);
}

}  // namespace

StopSignal::StopSignal() {
  if (holders.fetch_add(1) == 0) clear();
  struct sigaction action = {};
  action.sa_handler = on_stop;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  ::sigaction(SIGINT, &action, &before_interrupt_);
  ::sigaction(SIGTERM, &action, &before_terminate_);
}

StopSignal::~StopSignal() {
  ::sigaction(SIGINT, &before_interrupt_, nullptr);
  ::sigaction(SIGTERM, &before_terminate_, nullptr);
  holders.fetch_sub(1);
}

bool StopSignal::requested() { return requests.load(std::memory_order_relaxed) > 0; }

void StopSignal::clear() { requests = 0; }

}  // namespace malssi
