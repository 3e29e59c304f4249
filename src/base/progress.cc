#include "base/progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/format.h"

namespace malssi {
namespace {

constexpr double kMemorySeconds = 15;
constexpr int64_t kShortestBar = 8;
constexpr int64_t kLongestBar = 32;

std::string exact_count(int64_t value) {
  return value < 1'000'000 ? std::to_string(value) : human_count(static_cast<double>(value));
}

std::string repeat(std::string_view piece, int64_t times) {
  std::string text;
  for (int64_t i = 0; i < times; ++i) text += piece;
  return text;
}

std::string human_rate(double rate) {
  if (rate <= 0) return "";
  return rate < 1 ? human_seconds(1 / rate) + " each" : human_count(rate) + "/s";
}

double share(const Progress& progress) {
  return std::clamp(static_cast<double>(progress.done) /
                        static_cast<double>(std::max<int64_t>(progress.total, 1)),
                    0.0, 1.0);
}

std::string bar(double part, int64_t columns, const ProgressStyle& style) {
  const auto full = static_cast<int64_t>(std::floor(part * static_cast<double>(columns) + 1e-9));
  if (!style.unicode) {
    const int64_t head = full < columns ? 1 : 0;
    return "[" + repeat("=", full) + repeat(">", head) + repeat(" ", columns - full - head) + "]";
  }
  const std::string_view hue = part >= 1 ? "\x1b[32m" : "\x1b[36m";
  if (!style.colour) return repeat("█", full) + repeat("░", columns - full);
  return fmt::format("{}{}\x1b[90m{}\x1b[0m", hue, repeat("━", full), repeat("━", columns - full));
}

}  // namespace

void ProgressMeter::update(const Progress& progress, double now_seconds) {
  if (!started_) {
    started_ = true;
    start_ = counted_at_ = now_seconds;
    counted_ = progress.done;
  }
  last_ = progress;
  now_ = now_seconds;
  // While nothing new is done the time adds up, and counts once something is.
  const double passed = now_ - counted_at_;
  const auto pieces = static_cast<double>(progress.done - counted_);
  if (passed <= 0 || pieces <= 0) return;
  const double fresh = 1 - std::exp(-passed / kMemorySeconds);
  weight_ = weight_ * (1 - fresh) + fresh;
  rate_ += (pieces / passed - rate_) * fresh / weight_;
  counted_ = progress.done;
  counted_at_ = now_;
}

double ProgressMeter::seconds_left() const {
  if (last_.total <= 0) return std::numeric_limits<double>::infinity();
  const auto rest = static_cast<double>(std::max<int64_t>(last_.total - last_.done, 0));
  if (rest == 0) return 0;
  return rate_ > 0 ? rest / rate_ : std::numeric_limits<double>::infinity();
}

std::string progress_line(const ProgressMeter& meter, const ProgressStyle& style) {
  const Progress& progress = meter.last();
  const bool known = progress.total > 0;
  const bool finished = known && progress.done >= progress.total;
  const std::string percent =
      known ? fmt::format("{:3.0f}%", std::floor(share(progress) * 100)) : std::string();
  const std::string counts = known ? exact_count(progress.done) + "/" + exact_count(progress.total)
                                   : exact_count(progress.done);
  const std::string rate = human_rate(meter.rate());
  std::string time;
  if (finished || !known) {
    time = human_seconds(meter.elapsed_seconds());
  } else if (std::isfinite(meter.seconds_left())) {
    time = human_seconds(meter.seconds_left()) + " left";
  }

  const auto join = [](std::initializer_list<std::string> parts) {
    std::string line;
    for (const std::string& part : parts)
      if (!part.empty()) line += (line.empty() ? "" : "  ") + part;
    return line;
  };
  const std::string full = join({percent, counts, rate, time, progress.text});
  if (style.columns <= 0) return full;
  const int64_t frame = style.unicode ? 2 : 4;  // the gap before the bar, and its brackets
  const int64_t room = style.columns - display_width(full) - frame;
  if (known && room >= kShortestBar)
    return join({percent, bar(share(progress), std::min(room, kLongestBar), style), counts, rate,
                 time, progress.text});
  if (room + frame >= 0) return full;
  return fit_width(join({percent, counts, time, progress.text}), style.columns);
}

}  // namespace malssi
