// Line plots as SVG text, for pages without any library: axes with round ticks, linear or
// logarithmic, smoothed over the raw line, several series with a legend. Colours are CSS classes
// (s0, s1 ..) that the page defines, so one plot serves light and dark; figures for a read-out
// under the pointer come along as JSON (report_page.cc has the script).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace malssi {

enum class Scale {
  linear,
  log,        // what is not positive is left out
  automatic,  // log when all values are positive and the largest is over 50 times the smallest
};

struct Series {
  std::string name;
  std::vector<double> x, y;  // of one length, x rising; where y is not finite the line is broken
  bool smooth = false;       // show a smoothed line over the faint raw one
  bool dashed = false;
  int colour = -1;  // 0 .. 5; -1: by position
};

struct Plot {
  std::string title;
  std::string x_label = "step";
  std::string y_label = {};
  std::vector<Series> series = {};
  Scale x_scale = Scale::linear;
  Scale y_scale = Scale::linear;
  bool from_zero = false;   // the linear y axis begins at 0
  double smoothing = 0.02;  // width of the smoothing, as a share of the points
};

// Ticks at 1, 2, 2.5 or 5 times a power of ten, about `count` of them, covering low .. high.
std::vector<double> linear_ticks(double low, double high, int64_t count);
// Powers of ten, with 2 and 5 times these where the span is short.
std::vector<double> log_ticks(double low, double high);
// The shortest texts that tell the ticks apart: "0.5", "1.5k", "1e-05".
std::vector<std::string> tick_labels(const std::vector<double>& ticks);

// At each place the height of the straight line that fits the neighbours on both sides best, weighed by e^-distance/width: follows
// steep beginnings, where a mean lags. What is not finite stays out, and as it is.
std::vector<double> smoothed(const std::vector<double>& values, double width);

// The <svg> element, of that class, in a drawing of that many units; the page scales it to its
// column.
struct Canvas {
  int64_t width = 480, height = 260;
  std::string_view css_class = "plain";
};
std::string render_plot(const Plot& plot, const Canvas& canvas);
// The figures for the read-out, as JSON that may stand in a <script>: {x, y, series: [{name,
// colour, x, y}]}.
std::string plot_data(const Plot& plot);

}  // namespace malssi
