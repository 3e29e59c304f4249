#include "cli/terminal.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/error.h"

namespace malssi {

namespace {

volatile sig_atomic_t interrupted = 0;

void on_interrupt(int) { interrupted = 1; }

}  // namespace

Interrupt::Interrupt() {
  interrupted = 0;
  struct sigaction action {};
  action.sa_handler = on_interrupt;
  action.sa_flags =
      SA_RESTART;  // what is being written is written whole; poll returns all the same
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, &before_);
}

Interrupt::~Interrupt() { sigaction(SIGINT, &before_, nullptr); }

bool Interrupt::requested() { return interrupted != 0; }
void Interrupt::clear() { interrupted = 0; }

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
    pollfd input = {.fd = descriptor_, .events = POLLIN, .revents = 0};
    if (!Interrupt::requested() && ::poll(&input, 1, -1) < 0 && errno == EINTR) continue;
    if (Interrupt::requested()) {
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
