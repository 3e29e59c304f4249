#include "train/report/svg.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "base/error.h"
#include "base/format.h"
#include "base/json.h"
#include "train/report/html.h"

namespace malssi {
namespace {

constexpr int64_t kMarkedPoints = 40;  // a line of at most so many points shows them
constexpr double kTop = 10, kBottom = 26, kRight = 10;
constexpr double kDigit = 6.4;  // units that a character of a tick label takes

// One axis: what it spans and where on the drawing.
struct Axis {
  double low = 0, high = 1;   // values
  double begin = 0, end = 1;  // units
  bool log = false;

  double at(double value) const {
    const double part =
        log ? std::log(value / low) / std::log(high / low) : (value - low) / (high - low);
    return begin + part * (end - begin);
  }
  std::vector<double> ticks(int64_t count) const {
    return log ? log_ticks(low, high) : linear_ticks(low, high, count);
  }
};

// A series as it is drawn: thinned out, and smoothed where asked.
struct Line {
  const Series* series;
  int colour;
  std::vector<double> x, y;                    // the line
  std::vector<double> raw_x = {}, raw_y = {};  // the faint one under it, if any
};

// Keeps the lowest and highest point of every piece of x, in order, so that peaks survive.
void thin_out(std::vector<double>& x, std::vector<double>& y, size_t pieces) {
  const size_t n = x.size();
  if (n <= 2 * pieces) return;
  std::vector<double> thin_x, thin_y;
  for (size_t piece = 0; piece < pieces; ++piece) {
    const size_t begin = n * piece / pieces, end = n * (piece + 1) / pieces;
    size_t low = begin, high = begin;
    for (size_t i = begin; i < end; ++i) {
      if (y[i] < y[low] || !std::isfinite(y[low])) low = i;
      if (y[i] > y[high] || !std::isfinite(y[high])) high = i;
    }
    for (const size_t i : {std::min(low, high), std::max(low, high)}) {
      thin_x.push_back(x[i]);
      thin_y.push_back(y[i]);
      if (low == high) break;
    }
  }
  x = std::move(thin_x);
  y = std::move(thin_y);
}

Line make_line(const Plot& plot, size_t index) {
  const Series& series = plot.series[index];
  CHECK(series.x.size() == series.y.size(), "plot ", plot.title, ": series ", series.name, " has ",
        series.x.size(), " x and ", series.y.size(), " y");
  const int colour = series.colour >= 0 ? series.colour : static_cast<int>(index);
  Line line{.series = &series, .colour = colour % 6, .x = series.x, .y = series.y};
  const double width = plot.smoothing * static_cast<double>(series.y.size());
  if (series.smooth && width >= 0.5) {
    line.y = smoothed(series.y, width);
    line.raw_x = series.x;
    line.raw_y = series.y;
    thin_out(line.raw_x, line.raw_y, 300);
  }
  thin_out(line.x, line.y, line.raw_x.empty() ? 250 : 150);
  return line;
}

// The middle of the values, so that a few wild ones do not flatten the rest.
void keep_middle(std::vector<double>& values) {
  if (values.size() < 200) return;
  std::ranges::sort(values);
  const size_t cut = values.size() / 200;
  values.erase(values.end() - static_cast<ptrdiff_t>(cut), values.end());
  values.erase(values.begin(), values.begin() + static_cast<ptrdiff_t>(cut));
}

Axis axis_over(std::vector<double> values, Scale scale) {
  Axis axis;
  std::erase_if(values, [](double value) { return !std::isfinite(value); });
  const bool positive = std::ranges::any_of(values, [](double value) { return value > 0; });
  if (scale == Scale::log && positive)
    std::erase_if(values, [](double value) { return value <= 0; });
  if (values.empty()) return axis;
  const auto [low, high] = std::ranges::minmax(values);
  axis.low = low;
  axis.high = high;
  axis.log = low > 0 && (scale == Scale::log || (scale == Scale::automatic && high > 50 * low));
  return axis;
}

Axis x_axis(const Plot& plot, const std::vector<Line>& lines) {
  std::vector<double> values;
  for (const Line& line : lines) values.insert(values.end(), line.x.begin(), line.x.end());
  Axis axis = axis_over(std::move(values), plot.x_scale);
  if (axis.low == axis.high) axis.high = axis.low + 1, axis.log = false;
  return axis;
}

Axis y_axis(const Plot& plot, const std::vector<Line>& lines) {
  std::vector<double> values;
  for (const Line& line : lines) {
    std::vector<double> raw = line.raw_y.empty() ? line.raw_y : line.series->y;
    keep_middle(raw);
    values.insert(values.end(), raw.begin(), raw.end());
    values.insert(values.end(), line.y.begin(), line.y.end());
  }
  Axis axis = axis_over(std::move(values), plot.y_scale);
  if (axis.log) {
    const double room = std::max(std::pow(axis.high / axis.low, 0.04), 1.02);
    axis.low /= room;
    axis.high *= room;
    return axis;
  }
  if (plot.from_zero) axis.low = std::min(axis.low, 0.0);
  double room = 0.05 * (axis.high - axis.low);
  if (room == 0) room = axis.low == 0 ? 1 : std::abs(axis.low) * 0.05;
  axis.high += room;
  if (!(plot.from_zero && axis.low == 0)) axis.low -= room;
  return axis;
}

std::string path_of(const std::vector<double>& x, const std::vector<double>& y, const Axis& x_axis,
                    const Axis& y_axis) {
  std::string path;
  bool pen_down = false;
  for (size_t i = 0; i < x.size(); ++i) {
    const bool shown =
        std::isfinite(y[i]) && (!y_axis.log || y[i] > 0) && (!x_axis.log || x[i] > 0);
    if (shown)
      fmt::format_to(std::back_inserter(path), "{}{:.1f},{:.1f}", pen_down ? ' ' : 'M',
                     x_axis.at(x[i]), y_axis.at(y[i]));
    pen_down = shown;
  }
  return path;
}

void draw_axes(std::string& out, const Plot& plot, const Axis& x, const Axis& y, bool wide) {
  const auto to = std::back_inserter(out);
  const std::vector<double> y_ticks = y.ticks(wide ? 6 : 4), x_ticks = x.ticks(wide ? 9 : 5);
  const std::vector<std::string> y_names = tick_labels(y_ticks), x_names = tick_labels(x_ticks);
  out += "<g class=\"grid\">";
  for (const double tick : y_ticks)
    fmt::format_to(to, "<path d=\"M{:.1f},{:.1f}H{:.1f}\"/>", x.begin, y.at(tick), x.end);
  fmt::format_to(to, "</g><path class=\"base\" d=\"M{:.1f},{:.1f}H{:.1f}\"/>", x.begin, y.begin,
                 x.end);
  out += "<g class=\"tick\" text-anchor=\"end\">";
  for (size_t i = 0; i < y_ticks.size(); ++i)
    fmt::format_to(to, "<text x=\"{:.1f}\" y=\"{:.1f}\">{}</text>", x.begin - 7,
                   y.at(y_ticks[i]) + 4, y_names[i]);
  out += "</g><g class=\"tick\" text-anchor=\"middle\">";
  const double label_begin = x.end - static_cast<double>(display_width(plot.x_label)) * kDigit - 14;
  for (size_t i = 0; i < x_ticks.size(); ++i) {
    const double at = x.at(x_ticks[i]);
    if (at + 3 * kDigit > label_begin) continue;  // the axis's own label stands there
    fmt::format_to(to, "<text x=\"{:.1f}\" y=\"{:.1f}\">{}</text>", at, y.begin + 18, x_names[i]);
  }
  fmt::format_to(to,
                 "</g><text class=\"tick\" text-anchor=\"end\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>",
                 x.end, y.begin + 18, escape_html(plot.x_label));
}

void draw_line(std::string& out, const Line& line, const Axis& x, const Axis& y) {
  const auto to = std::back_inserter(out);
  const std::string raw = path_of(line.raw_x, line.raw_y, x, y);
  if (!raw.empty()) fmt::format_to(to, "<path class=\"raw s{}\" d=\"{}\"/>", line.colour, raw);
  fmt::format_to(to, "<path class=\"line s{}{}\" d=\"{}\"/>", line.colour,
                 line.series->dashed ? " dashed" : "", path_of(line.x, line.y, x, y));
  if (static_cast<int64_t>(line.x.size()) > kMarkedPoints) return;
  for (size_t i = 0; i < line.x.size(); ++i)
    if (std::isfinite(line.y[i]) && !(y.log && line.y[i] <= 0) && !(x.log && line.x[i] <= 0))
      fmt::format_to(to, "<circle class=\"dot s{}\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"2.6\"/>",
                     line.colour, x.at(line.x[i]), y.at(line.y[i]));
}

// What the plot says, for those who cannot see it.
std::string spoken(const Plot& plot) {
  std::string text = plot.title;
  for (const Series& series : plot.series) {
    std::vector<double> values;
    for (const double value : series.y)
      if (std::isfinite(value)) values.push_back(value);
    if (values.empty()) continue;
    text += fmt::format("; {} from {} to {}", series.name, human_number(values.front()),
                        human_number(values.back()));
  }
  return text;
}

Json rounded(const std::vector<double>& values) {
  Json list = Json::array();
  for (const double value : values)
    list.push_back(std::isfinite(value) ? Json(std::stod(fmt::format("{:.6g}", value))) : Json());
  return list;
}

}  // namespace

std::string render_plot(const Plot& plot, const Canvas& canvas) {
  std::vector<Line> lines;
  for (size_t i = 0; i < plot.series.size(); ++i) lines.push_back(make_line(plot, i));
  Axis x = x_axis(plot, lines), y = y_axis(plot, lines);
  const bool wide = canvas.width > 600;
  size_t longest = 0;
  for (const std::string& label : tick_labels(y.ticks(wide ? 6 : 4)))
    longest = std::max(longest, label.size());
  x.begin = 14 + kDigit * static_cast<double>(longest);
  x.end = static_cast<double>(canvas.width) - kRight;
  y.begin = static_cast<double>(canvas.height) - kBottom;
  y.end = kTop;

  std::string out = fmt::format(
      "<svg class=\"{}\" viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\" data-x=\"{:.1f} "
      "{:.1f} {} {} {}\" "
      "data-y=\"{:.1f} {:.1f} {} {} {}\">",
      canvas.css_class, canvas.width, canvas.height, escape_html(spoken(plot)), x.begin, x.end,
      x.low, x.high, int{x.log}, y.begin, y.end, y.low, y.high, int{y.log});
  draw_axes(out, plot, x, y, wide);
  // An inner <svg> clips what leaves the axes, without an id that two plots could share.
  out += fmt::format(
      "<svg x=\"{0:.1f}\" y=\"0\" width=\"{1:.1f}\" height=\"{2:.1f}\" viewBox=\"{0:.1f} 0 {1:.1f} "
      "{2:.1f}\">",
      x.begin - 3, x.end - x.begin + 6, y.begin + 3);
  for (const Line& line : lines) draw_line(out, line, x, y);
  out += "</svg></svg>";
  return out;
}

std::string plot_data(const Plot& plot) {
  Json data;
  data["x"] = plot.x_label;
  data["y"] = plot.y_label;
  data["series"] = Json::array();
  for (size_t i = 0; i < plot.series.size(); ++i) {
    const Line line = make_line(plot, i);
    data["series"].push_back({{"name", line.series->name},
                              {"colour", line.colour},
                              {"x", rounded(line.x)},
                              {"y", rounded(line.y)}});
  }
  return json_for_script(dump_json(data));
}

}  // namespace malssi
