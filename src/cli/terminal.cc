#include "cli/terminal.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/error.h"

namespace malssi {

namespace {

volatile sig_atomic_t interrupted = 0;
int wake[2] = {
    -1, -1};  // a pipe: what waits for input also waits for it, whichever thread the signal came to

void on_interrupt(int) {
  const int before = errno;
  interrupted = 1;
  [[maybe_unused]] const ssize_t written = ::write(wake[1], "", 1);  // a full pipe wakes as well
  errno = before;
}

}  // namespace

Interrupt::Interrupt() {
  interrupted = 0;
  REQUIRE(::pipe2(wake, O_CLOEXEC | O_NONBLOCK) == 0, "cannot open a pipe: ", std::strerror(errno));
  struct sigaction action {};
  action.sa_handler = on_interrupt;
  action.sa_flags = SA_RESTART;  // what is being written is written whole
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, &before_);
}

Interrupt::~Interrupt() {
  sigaction(SIGINT, &before_, nullptr);
  for (int& end : wake) ::close(std::exchange(end, -1));
}

bool Interrupt::requested() { return interrupted != 0; }

void Interrupt::clear() {
  char drained[64];
  while (::read(wake[0], drained, sizeof(drained)) > 0) {
  }
  interrupted = 0;
}

LineEnd LineReader::next(std::string& line) {
  constexpr size_t kLongest = size_t{16} << 20;
  size_t searched = 0;
  while (true) {
    const size_t newline = buffer_.find('\n', searched);
    if (newline != std::string::npos || (ended_ && !buffer_.empty())) {
      line = buffer_.substr(0, newline);
      buffer_.erase(0, newline == std::string::npos ? newline : newline + 1);
      if (line.ends_with('\r')) line.pop_back();
      return LineEnd::newline;
    }
    if (ended_) return LineEnd::end_of_input;
    searched = buffer_.size();
    REQUIRE(searched <= kLongest, "standard input: a line is longer than 16 MiB");
    pollfd waits[] = {{.fd = descriptor_, .events = POLLIN, .revents = 0},
                      {.fd = wake[0], .events = POLLIN, .revents = 0}};
    if (::poll(waits, std::size(waits), -1) < 0 && errno == EINTR) continue;
    if (waits[1].revents != 0 || Interrupt::requested()) {
      buffer_.clear();
      return LineEnd::interrupted;
    }
    char piece[4096];
    const ssize_t count = ::read(descriptor_, piece, sizeof(piece));
    REQUIRE(count >= 0, "cannot read standard input: ", std::strerror(errno));
    ended_ = count == 0;
    buffer_.append(piece, static_cast<size_t>(count));
  }
}

}  // namespace malssi
