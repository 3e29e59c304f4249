// Ticks, their labels, and smoothing.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/error.h"
#include "train/report/svg.h"

namespace malssi {
namespace {

constexpr double kNearly = 1e-9;

// The round step that divides the span into about `count` pieces, a third more at most.
double round_step(double span, int64_t count) {
  const double raw = 0.75 * span / static_cast<double>(std::max<int64_t>(count, 1));
  const double power = std::pow(10, std::floor(std::log10(raw)));
  for (const double round : {1.0, 2.0, 2.5, 5.0})
    if (raw <= round * power * (1 + kNearly)) return round * power;
  return 10 * power;
}

std::string without_trailing_zeros(std::string text) {
  if (text.find('.') == text.npos) return text;
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text;
}

// "2.5e-05" becomes "2.5e-5".
std::string scientific(double value) {
  const auto exponent = static_cast<int>(std::floor(std::log10(std::abs(value)) + kNearly));
  const std::string mantissa =
      without_trailing_zeros(fmt::format("{:.2f}", value / std::pow(10, exponent)));
  return fmt::format("{}e{}", mantissa, exponent);
}

struct Unit {
  double size;
  std::string_view name;
};

Unit unit_for(double largest) {
  constexpr std::array<Unit, 4> kUnits = {{{1e12, "T"}, {1e9, "B"}, {1e6, "M"}, {1e3, "k"}}};
  for (const Unit& unit : kUnits)
    if (largest >= unit.size * (unit.size == 1e3 ? 10 : 1) * (1 - kNearly)) return unit;
  return {1, ""};
}

// How many decimals tell multiples of step apart.
int decimals_for(double step) {
  for (int decimals = 0; decimals < 12; ++decimals) {
    const double shifted = step * std::pow(10, decimals);
    if (std::abs(shifted - std::round(shifted)) < 1e-6 * std::max(shifted, 1.0) && shifted > 0.5)
      return decimals;
  }
  return 12;
}

// Weighted sums over the points on one side of a place: of 1, d, d^2, y and d y, with d the distance to it.
struct Sums {
  double one = 0, d = 0, dd = 0, y = 0, dy = 0;

  // The place moves on by one, away from the points.
  void step(double keep) {
    dd = keep * (dd + 2 * d + one);
    d = keep * (d + one);
    dy = keep * (dy + y);
    one *= keep;
    y *= keep;
  }
  void add(double value) {
    if (!std::isfinite(value)) return;
    one += 1;
    y += value;
  }
  // The height at the place of the line through these points and those of the other side.
  double height(const Sums& other) const {
    const double n = one + other.one, sum_d = d - other.d, sum_dd = dd + other.dd;
    const double sum_y = y + other.y, sum_dy = dy - other.dy;
    const double determinant = n * sum_dd - sum_d * sum_d;
    if (determinant < 1e-9 * n * n) return sum_y / n;
    return (sum_dd * sum_y - sum_d * sum_dy) / determinant;
  }
};

}  // namespace

std::vector<double> linear_ticks(double low, double high, int64_t count) {
  CHECK(low <= high && std::isfinite(high - low), "linear_ticks: ", low, " .. ", high);
  if (low == high) return {low};
  const double step = round_step(high - low, count);
  std::vector<double> ticks;
  const double first = std::ceil(low / step - kNearly), last = std::floor(high / step + kNearly);
  for (double i = first; i <= last; ++i) ticks.push_back(i == 0 ? 0.0 : i * step);
  return ticks;
}

std::vector<double> log_ticks(double low, double high) {
  CHECK(low > 0 && low <= high && std::isfinite(high), "log_ticks: ", low, " .. ", high);
  const int first = static_cast<int>(std::floor(std::log10(low) - kNearly));
  const int last = static_cast<int>(std::ceil(std::log10(high) + kNearly));
  const int every = std::max(1, (last - first) / 6);
  const bool short_span = std::log10(high / low) < 2;
  std::vector<double> ticks;
  for (int exponent = first; exponent <= last; exponent += every)
    for (const double digit : {1.0, 2.0, 5.0}) {
      const double tick = digit * std::pow(10, exponent);
      if (digit > 1 && !short_span) continue;
      if (tick >= low * (1 - kNearly) && tick <= high * (1 + kNearly)) ticks.push_back(tick);
    }
  return ticks;
}

std::vector<std::string> tick_labels(const std::vector<double>& ticks) {
  double largest = 0, step = 0;
  for (size_t i = 0; i < ticks.size(); ++i) {
    largest = std::max(largest, std::abs(ticks[i]));
    if (i > 0 && (step == 0 || ticks[i] - ticks[i - 1] < step)) step = ticks[i] - ticks[i - 1];
  }
  if (!ticks.empty() && ticks.front() > 0) step = std::min(step == 0 ? largest : step, ticks[0]);
  const bool wide = step > 0 && largest / step > 1000;  // logarithmic: each label for itself
  std::vector<std::string> labels;
  for (const double tick : ticks) {
    const double size = wide ? std::abs(tick) : largest;
    if (tick == 0) {
      labels.emplace_back("0");
    } else if (size < 1e-4) {
      labels.push_back(scientific(tick));
    } else {
      const Unit unit = unit_for(size);
      const int decimals = decimals_for((wide ? size : step > 0 ? step : size) / unit.size);
      labels.push_back(
          without_trailing_zeros(fmt::format("{:.{}f}", tick / unit.size, std::min(decimals, 6))) +
          std::string(unit.name));
    }
  }
  return labels;
}

std::vector<double> smoothed(const std::vector<double>& values, double width) {
  if (width <= 0) return values;
  const int64_t n = static_cast<int64_t>(values.size());
  std::vector<Sums> left(values.size());
  Sums sums;
  const double keep = std::exp(-1 / width);
  for (int64_t i = 0; i < n; ++i) {
    sums.step(keep);
    sums.add(values[static_cast<size_t>(i)]);
    left[static_cast<size_t>(i)] = sums;
  }
  std::vector<double> result = values;
  Sums right;  // what lies right of i alone
  for (int64_t i = n; i-- > 0;) {
    const double value = values[static_cast<size_t>(i)];
    if (std::isfinite(value))
      result[static_cast<size_t>(i)] = left[static_cast<size_t>(i)].height(right);
    right.add(value);
    right.step(keep);
  }
  return result;
}

}  // namespace malssi
