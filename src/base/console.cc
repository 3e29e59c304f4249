#include "base/console.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <utility>

#include "base/format.h"

namespace malssi {
namespace {

constexpr double kRedrawSeconds = 0.1;
constexpr double kShortestPause = 5;  // between plain lines, at the start of the work ..
constexpr double kLongestPause = 60;  // .. and late in it

double now_seconds() {
  using std::chrono::steady_clock;
  return std::chrono::duration<double>(steady_clock::now().time_since_epoch()).count();
}

std::string_view environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

// A terminal without a locale is taken for UTF-8 (bare containers are so); one that names another
// encoding is believed.
bool is_utf8_locale() {
  if (environment("TERM") == "linux") return false;
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const std::string_view locale = environment(name);
    if (locale.empty()) continue;
    return locale.find("UTF-8") != locale.npos || locale.find("utf8") != locale.npos ||
           locale.find("UTF8") != locale.npos || locale.find("utf-8") != locale.npos;
  }
  return true;
}

}  // namespace

Console::Console(std::FILE* stream, bool quiet) : stream_(stream), quiet_(quiet) {
  const int file = fileno(stream);
  terminal_ = file >= 0 && isatty(file) && environment("TERM") != "dumb";
  colour_ = terminal_ && environment("NO_COLOR").empty();
  unicode_ = is_utf8_locale();
}

Console::~Console() { end_progress(); }

Console::Console(Console&& other) noexcept : stream_(other.stream_), quiet_(other.quiet_) {
  *this = std::move(other);
}

Console& Console::operator=(Console&& other) noexcept {
  if (this == &other) return *this;
  end_progress();
  stream_ = other.stream_;
  quiet_ = other.quiet_;
  terminal_ = other.terminal_;
  colour_ = other.colour_;
  unicode_ = other.unicode_;
  meter_ = std::exchange(other.meter_, std::nullopt);
  shown_ = std::exchange(other.shown_, false);
  drawn_at_ = other.drawn_at_;
  began_at_ = other.began_at_;
  stale_ = std::exchange(other.stale_, false);
  return *this;
}

int64_t Console::width() const {
  winsize size{};
  if (terminal_ && ioctl(fileno(stream_), TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
    return size.ws_col;
  return 80;
}

void Console::note(std::string_view text) {
  if (!quiet_) line("", "", text);
}

void Console::warn(std::string_view text) { line("warning: ", "\x1b[33m", text); }

void Console::line(std::string_view mark, std::string_view colour, std::string_view text) {
  std::string out = shown_ ? "\r\x1b[K" : "";
  if (colour_ && !mark.empty()) {
    out.append(colour).append(mark).append("\x1b[0m");
  } else {
    out.append(mark);
  }
  out.append(text).append("\n");
  const bool redraw = std::exchange(shown_, false);
  put(out);
  if (redraw) draw();
}

void Console::progress(const Progress& progress) {
  if (quiet_) return;
  const double now = now_seconds();
  const bool first = !meter_;
  if (first) {
    meter_.emplace();
    began_at_ = drawn_at_ = now;
  }
  meter_->update(progress, now);
  stale_ = true;
  const double pause = terminal_
                           ? kRedrawSeconds
                           : std::clamp((now - began_at_) / 10, kShortestPause, kLongestPause);
  if ((terminal_ && first) || now - drawn_at_ >= pause) draw();
}

void Console::end_progress() {
  if (!meter_) return;
  if (stale_) draw();
  if (shown_) put("\n");
  shown_ = false;
  meter_.reset();
}

void Console::draw() {
  drawn_at_ = now_seconds();
  stale_ = false;
  if (!terminal_) {
    put(progress_line(*meter_, {.columns = 0, .unicode = unicode_}) + "\n");
    return;
  }
  // One column stays free: a full line would wrap.
  const ProgressStyle style{
      .columns = std::max<int64_t>(width() - 1, 1), .colour = colour_, .unicode = unicode_};
  put("\r" + progress_line(*meter_, style) + "\x1b[K");
  shown_ = true;
}

void Console::put(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stream_);
  std::fflush(stream_);
}

}  // namespace malssi
