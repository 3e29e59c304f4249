#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/json.h"
#include "train/report/svg.h"

namespace malssi {
namespace {

using Strings = std::vector<std::string>;

std::vector<double> ramp(int64_t n, double factor = 1) {
  std::vector<double> values;
  for (int64_t i = 0; i < n; ++i) values.push_back(factor * static_cast<double>(i));
  return values;
}

size_t count(const std::string& text, std::string_view part) {
  size_t found = 0;
  for (size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++found;
  return found;
}

Plot plot_of(std::vector<double> x, std::vector<double> y) {
  return {.title = "p", .series = {{.name = "s", .x = std::move(x), .y = std::move(y)}}};
}

TEST(LinearTicks, AreRoundAndCoverTheSpan) {
  EXPECT_EQ(linear_ticks(0, 10, 5), (std::vector<double>{0, 2, 4, 6, 8, 10}));
  EXPECT_EQ(linear_ticks(-1, 1, 4), (std::vector<double>{-1, -0.5, 0, 0.5, 1}));
  EXPECT_EQ(tick_labels(linear_ticks(1.31, 1.52, 4)), (Strings{"1.35", "1.4", "1.45", "1.5"}));
  EXPECT_EQ(linear_ticks(3, 3, 4), (std::vector<double>{3}));
}

TEST(LinearTicks, StayFewAndDistinctAtAnySize) {
  for (double size = 1e-12; size < 1e15; size *= 3.7) {
    const auto ticks = linear_ticks(size * 0.3, size * 1.9, 5);
    EXPECT_GE(ticks.size(), 2u) << size;
    EXPECT_LE(ticks.size(), 9u) << size;
    Strings labels = tick_labels(ticks);
    EXPECT_EQ(std::unique(labels.begin(), labels.end()), labels.end()) << size;
    for (const std::string& label : labels) EXPECT_LE(label.size(), 8u) << label;
  }
}

TEST(LogTicks, ArePowersOfTenOverManyDecadesAndFinerOverFew) {
  EXPECT_EQ(log_ticks(1, 50), (std::vector<double>{1, 2, 5, 10, 20, 50}));
  EXPECT_EQ(tick_labels(log_ticks(0.01, 10000)),
            (Strings{"0.01", "0.1", "1", "10", "100", "1000", "10k"}));
  EXPECT_LE(log_ticks(1e-30, 1e30).size(), 12u);
}

TEST(TickLabels, UseUnitsAndExponents) {
  EXPECT_EQ(tick_labels({0, 5000, 10000}), (Strings{"0", "5k", "10k"}));
  EXPECT_EQ(tick_labels({0, 500, 1000}), (Strings{"0", "500", "1000"}));
  EXPECT_EQ(tick_labels({0, 2.5e6, 5e6}), (Strings{"0", "2.5M", "5M"}));
  EXPECT_EQ(tick_labels({0, 2e-5, 4e-5}), (Strings{"0", "2e-5", "4e-5"}));
  EXPECT_EQ(tick_labels({}), Strings{});
}

TEST(Ticks, RefuseASpanThatIsNone) {
  EXPECT_THROW(linear_ticks(2, 1, 4), InternalError);
  EXPECT_THROW(linear_ticks(0, INFINITY, 4), InternalError);
  EXPECT_THROW(log_ticks(0, 1), InternalError);
}

TEST(Smoothing, LeavesStraightLinesAsTheyAre) {
  const auto values = ramp(50, 0.5);
  const auto smooth = smoothed(values, 5);
  for (size_t i = 0; i < values.size(); ++i) EXPECT_NEAR(smooth[i], values[i], 1e-6) << i;
}

TEST(Smoothing, TakesTheNoiseAwayAndSkipsGaps) {
  std::vector<double> values;
  for (int i = 0; i < 200; ++i) values.push_back(i % 2 ? 1.5 : 0.5);
  values[100] = NAN;
  const auto smooth = smoothed(values, 10);
  EXPECT_TRUE(std::isnan(smooth[100]));
  for (size_t i = 10; i < 190; ++i) {
    if (i == 100) continue;
    EXPECT_NEAR(smooth[i], 1, 0.1) << i;
  }
}

TEST(Smoothing, OfOnePointOrNoneIsItself) {
  EXPECT_EQ(smoothed({3.5}, 4), (std::vector<double>{3.5}));
  EXPECT_EQ(smoothed({}, 4), (std::vector<double>{}));
}

TEST(PlotDrawing, HasALineForEachSeriesInItsColour) {
  Plot plot = plot_of(ramp(100), ramp(100, 2));
  plot.series.push_back(
      {.name = "t", .x = ramp(100), .y = ramp(100, 3), .smooth = true, .dashed = true});
  const std::string svg = render_plot(plot, {});
  EXPECT_EQ(count(svg, "class=\"line s0\""), 1u);
  EXPECT_EQ(count(svg, "class=\"line s1 dashed\""), 1u);
  EXPECT_EQ(count(svg, "class=\"raw s1\""), 1u) << "the raw line stands under the smoothed one";
  EXPECT_EQ(count(svg, "<svg"), count(svg, "</svg>"));
}

TEST(PlotDrawing, ThinsOutLongSeriesButKeepsPeaks) {
  std::vector<double> y(100'000, 1.0);
  y[54'321] = 9;
  const Plot plot = plot_of(ramp(100'000), y);
  EXPECT_LT(render_plot(plot, {}).size(), 12'000u);
  const Json data = parse_json(plot_data(plot), "plot");
  double peak = 0;
  for (const Json& value : data["series"][0]["y"]) peak = std::max(peak, value.get<double>());
  EXPECT_EQ(peak, 9);
}

TEST(PlotDrawing, BreaksTheLineWhereAValueIsMissing) {
  const std::string svg = render_plot(plot_of(ramp(4), {1, 2, NAN, 3}), {});
  const size_t line = svg.find("class=\"line s0\"");
  EXPECT_EQ(count(svg.substr(line, svg.find("/>", line) - line), "M"), 2u);
}

TEST(PlotDrawing, ALogAxisLeavesOutWhatIsNotPositive) {
  Plot plot = plot_of(ramp(4), {0, 1, 10, -5});
  plot.y_scale = Scale::log;
  const std::string svg = render_plot(plot, {});
  EXPECT_EQ(svg.find("nan"), svg.npos);
  EXPECT_EQ(svg.find("inf"), svg.npos);
  EXPECT_EQ(count(svg, "<circle"), 2u);
}

TEST(PlotDrawing, SurvivesNothingOnePointAndConstants) {
  Plot log = plot_of(ramp(5), std::vector<double>(5, 2.0));
  log.y_scale = log.x_scale = Scale::log;
  for (const Plot& plot : {Plot{.title = "none"}, plot_of({}, {}), plot_of({5}, {7}),
                           plot_of(ramp(5), std::vector<double>(5, 0.0)),
                           plot_of(ramp(3), {NAN, NAN, INFINITY}), log}) {
    const std::string svg = render_plot(plot, {});
    EXPECT_EQ(svg.find("nan"), svg.npos) << svg;
    EXPECT_EQ(svg.find("inf"), svg.npos) << svg;
  }
}

TEST(PlotDrawing, RefusesSeriesOfTwoLengths) {
  EXPECT_THROW(render_plot(plot_of({1, 2}, {1}), {}), InternalError);
}

TEST(PlotDrawing, TextsAreEscaped) {
  Plot plot = plot_of(ramp(3), ramp(3));
  plot.title = plot.x_label = plot.series[0].name = "</script><b>&\"";
  EXPECT_EQ(render_plot(plot, {}).find("<b>"), std::string::npos);
  EXPECT_EQ(plot_data(plot).find('<'), std::string::npos);
  EXPECT_EQ(parse_json(plot_data(plot), "plot")["x"], "</script><b>&\"");
}

}  // namespace
}  // namespace malssi
