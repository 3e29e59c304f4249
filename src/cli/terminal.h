// A conversation's side of the terminal: lines from standard input, and Ctrl-C that interrupts what is going on instead of
// the program.
#pragma once

#include <signal.h>

#include <string>

namespace malssi {

// While one lives, SIGINT only sets a flag and lets a waiting LineReader return. One at a time.
class Interrupt {
 public:
  Interrupt();
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  static bool requested();
  static void clear();

 private:
  struct sigaction before_;
};

enum class LineEnd { newline, end_of_input, interrupted };

// Reads lines from a file descriptor. A last line without newline counts as a line.
class LineReader {
 public:
  explicit LineReader(int descriptor) : descriptor_(descriptor) {}
  // Without its newline ("\r\n" too). end_of_input: there is none; interrupted: Ctrl-C came first, what was typed is
  // dropped. Throws Error when a line is longer than 16 MiB or cannot be read.
  LineEnd next(std::string& line);

 private:
  int descriptor_;
  std::string buffer_;
  bool ended_ = false;
};

}  // namespace malssi
