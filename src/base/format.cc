#include "base/format.h"

#include <unistd.h>

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <utility>

namespace malssi {
namespace {

// Three significant figures of a value below 1000, without trailing zeros after the point.
std::string three_figures(double value) {
  const int decimals = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  std::string text = fmt::format("{:.{}f}", value, decimals);
  if (decimals > 0) {
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.') text.pop_back();
  }
  return text;
}

// The value in thousands, millions .. so that it is below 1000, and how often it was divided: below `units`.
std::pair<double, size_t> scaled(double value, size_t units) {
  size_t unit = 0;
  for (; value >= 999.5 && unit + 1 < units; ++unit) value /= 1000;
  return {value, unit};
}

int64_t status_field(std::string_view key) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(key)) return std::strtoll(line.c_str() + key.size(), nullptr, 10) * 1024;
  return 0;
}

int64_t character_width(char32_t c) {
  struct Range {
    char32_t first, last;
  };
  static constexpr std::array<Range, 7> kNone = {{{0x0300, 0x036f},
                                                  {0x1160, 0x11ff},
                                                  {0x200b, 0x200f},
                                                  {0x20d0, 0x20ff},
                                                  {0xd7b0, 0xd7ff},
                                                  {0xfe00, 0xfe0f},
                                                  {0xfe20, 0xfe2f}}};
  static constexpr std::array<Range, 8> kTwo = {{{0x1100, 0x115f},
                                                 {0x2e80, 0x303e},
                                                 {0x3041, 0xa4cf},
                                                 {0xac00, 0xd7a3},
                                                 {0xf900, 0xfaff},
                                                 {0xfe30, 0xfe6f},
                                                 {0xff00, 0xff60},
                                                 {0x1f300, 0x3fffd}}};
  if (c < 0x20 || c == 0x7f) return 0;
  for (const Range& range : kNone)
    if (c >= range.first && c <= range.last) return 0;
  for (const Range& range : kTwo)
    if (c >= range.first && c <= range.last) return 2;
  return 1;
}

}  // namespace

std::string human_count(double value) {
  if (!std::isfinite(value)) return fmt::format("{}", value);
  if (value < 0) return "-" + human_count(-value);
  const auto [shown, unit] = scaled(value, 5);
  constexpr std::string_view kUnits = " kMBT";
  return three_figures(shown) + (unit > 0 ? std::string(1, kUnits[unit]) : "");
}

std::string human_quantity(double value, std::string_view unit) {
  if (!std::isfinite(value)) return fmt::format("{} {}", value, unit);
  if (value < 0) return "-" + human_quantity(-value, unit);
  const auto [shown, prefix] = scaled(value, 7);
  constexpr std::string_view kPrefixes = " kMGTPE";
  return three_figures(shown) + " " + (prefix > 0 ? std::string(1, kPrefixes[prefix]) : "") +
         std::string(unit);
}

std::string human_bytes(int64_t bytes) {
  constexpr std::array<std::string_view, 6> kUnits = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  double value = std::abs(static_cast<double>(bytes));
  size_t unit = 0;
  while (value >= 1023.5 && unit + 1 < kUnits.size()) {
    value /= 1024;
    ++unit;
  }
  const int decimals = unit > 0 && value < 99.95 ? 1 : 0;
  return fmt::format("{}{:.{}f} {}", bytes < 0 ? "-" : "", value, decimals, kUnits[unit]);
}

std::string human_seconds(double seconds) {
  if (!std::isfinite(seconds)) return "?";
  if (seconds < 0) return "-" + human_seconds(-seconds);
  if (seconds == 0) return "0 s";
  if (seconds < 0.0009995) return fmt::format("{} us", three_figures(seconds * 1e6));
  if (seconds < 0.9995) return fmt::format("{} ms", three_figures(seconds * 1e3));
  if (seconds < 9.95) return fmt::format("{:.1f} s", seconds);
  if (seconds < 59.5) return fmt::format("{:.0f} s", seconds);
  if (seconds > 1e9) return "?";
  const auto whole = static_cast<int64_t>(std::llround(seconds));
  if (whole < 3600) return fmt::format("{}m {:02}s", whole / 60, whole % 60);
  const int64_t minutes = (whole + 30) / 60;
  if (minutes < 24 * 60) return fmt::format("{}h {:02}m", minutes / 60, minutes % 60);
  const int64_t hours = (minutes + 30) / 60;
  return fmt::format("{}d {:02}h", hours / 24, hours % 24);
}

std::string human_number(double value) { return fmt::format("{:.4g}", value); }

char32_t next_character(std::string_view text, size_t& at) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(at++);
  if (first < 0x80) return first;
  const size_t more = first >= 0xf0 && first < 0xf5   ? 3
                      : first >= 0xe0 && first < 0xf0 ? 2
                      : first >= 0xc2 && first < 0xe0 ? 1
                                                      : 0;
  if (more == 0 || at + more > text.size()) return 0xfffd;
  char32_t character = first & (0x3fu >> more);
  for (size_t i = at; i < at + more; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0xfffd;
    character = character << 6 | (byte(i) & 0x3f);
  }
  constexpr std::array<char32_t, 4> kLeast = {0, 0x80, 0x800, 0x10000};
  const bool surrogate = character >= 0xd800 && character <= 0xdfff;
  if (character < kLeast[more] || character > 0x10ffff || surrogate) return 0xfffd;
  at += more;
  return character;
}

int64_t display_width(std::string_view text) {
  int64_t columns = 0;
  for (size_t at = 0; at < text.size();) columns += character_width(next_character(text, at));
  return columns;
}

std::string fit_width(std::string_view text, int64_t columns) {
  if (display_width(text) <= columns) return std::string(text);
  if (columns < 1) return "";
  int64_t used = 0;
  size_t end = 0;
  for (size_t at = 0; at < text.size(); end = at) {
    used += character_width(next_character(text, at));
    if (used > columns - 1) break;
  }
  return std::string(text.substr(0, end)) + "…";
}

int64_t process_memory_bytes() { return status_field("VmRSS:"); }
int64_t peak_memory_bytes() { return status_field("VmHWM:"); }
int64_t machine_memory_bytes() { return int64_t{sysconf(_SC_PHYS_PAGES)} * sysconf(_SC_PAGESIZE); }

}  // namespace malssi
