// What the program tells while it works, on standard error: notes, warnings and one progress line.
// On a terminal the progress is a bar that redraws itself; elsewhere (files, pipes, CI) it is a
// plain line now and then. Honours NO_COLOR, TERM=dumb and a locale that is not UTF-8. For one
// thread.
#pragma once

#include <cstdio>
#include <optional>
#include <string>
#include <string_view>

#include "base/progress.h"

namespace malssi {

class Console {
 public:
  using Progress = malssi::Progress;

  // quiet: warnings only. The stream must outlive the console.
  explicit Console(std::FILE* stream = stderr, bool quiet = false);
  ~Console();
  Console(Console&& other) noexcept;
  Console& operator=(Console&& other) noexcept;

  // A line of its own, above the progress bar when one is up.
  void note(std::string_view line);
  void warn(std::string_view line);

  // Call as often as you like: it draws ten times a second on a terminal and a line every 5 to 60
  // seconds elsewhere.
  void progress(const Progress& progress);
  // Leaves the last state standing and ends its line. The next progress() begins another piece of
  // work.
  void end_progress();

  bool is_terminal() const { return terminal_; }
  bool has_colour() const { return colour_; }
  bool is_quiet() const { return quiet_; }
  // Columns of the terminal now; 80 where there is none.
  int64_t width() const;
  void set_quiet(bool quiet) { quiet_ = quiet; }

 private:
  void draw();
  void line(std::string_view mark, std::string_view colour, std::string_view text);
  void put(std::string_view text);

  std::FILE* stream_;
  bool quiet_;
  bool terminal_ = false;
  bool colour_ = false;
  bool unicode_ = true;
  std::optional<ProgressMeter> meter_;
  bool shown_ = false;  // a bar stands on the current line
  double drawn_at_ = 0;
  double began_at_ = 0;
  bool stale_ = false;  // the last state was not drawn
};

}  // namespace malssi
