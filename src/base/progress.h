// The reckoning behind a progress line: rate, time left and the line's text. Clocks and widths come
// from the caller.
#pragma once

#include <cstdint>
#include <string>

namespace malssi {

struct Progress {
  int64_t done = 0;
  int64_t total = 0;  // 0: nobody knows
  std::string text;   // what else to tell: "loss 1.23 | 12.3k tok/s | 1.2 GiB"
};

// Follows one piece of work. Its rate leans on the last quarter of a minute; what was done before
// the first call (a resumed run) does not count.
class ProgressMeter {
 public:
  void update(const Progress& progress, double now_seconds);

  const Progress& last() const { return last_; }
  double elapsed_seconds() const { return now_ - start_; }
  // Pieces a second; 0 while unknown.
  double rate() const { return rate_; }
  // Infinite while unknown.
  double seconds_left() const;

 private:
  Progress last_;
  bool started_ = false;
  double start_ = 0;
  double now_ = 0;
  int64_t counted_ = 0;
  double counted_at_ = 0;
  double weight_ = 0;
  double rate_ = 0;
};

struct ProgressStyle {
  int64_t columns = 80;  // 0: no limit and no bar, for files
  bool colour = false;
  bool unicode = true;
};

// The line, no wider than style.columns: share, bar, counts, rate, time left, text. What does not
// fit goes in this order: the bar, the rate, the end of the text.
std::string progress_line(const ProgressMeter& meter, const ProgressStyle& style);

}  // namespace malssi
