// The plots of a report, and which of them a run's metrics make.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "base/format.h"
#include "train/report/html.h"
#include "train/report/report.h"

namespace malssi {
namespace {

constexpr double kGiB = 1 << 30, kMiB = 1 << 20;

Series series_of(const std::vector<Metrics>& metrics, std::string_view figure, std::string name,
                 double unit = 1) {
  Series series{.name = std::move(name), .x = {}, .y = {}};
  for (const Metrics& line : metrics) {
    const double value = line.figure(figure);
    if (!std::isfinite(value)) continue;
    series.x.push_back(static_cast<double>(line.step));
    series.y.push_back(value / unit);
  }
  return series;
}

bool says_something(const Series& series) {
  return std::ranges::any_of(series.y, [](double value) { return value != 0; });
}

Plot loss_plot(const std::vector<Metrics>& metrics) {
  Plot plot{.title = "Loss (nats a token)"};
  if (Series loss = series_of(metrics, "loss", "training"); says_something(loss)) {
    loss.smooth = true;
    plot.series.push_back(std::move(loss));
  }
  if (Series loss = series_of(metrics, "val_loss", "validation"); says_something(loss)) {
    loss.colour = 1;
    plot.series.push_back(std::move(loss));
  }
  return plot;
}

void add_plot(std::vector<Plot>& plots, Plot plot, Series series, int colour) {
  if (!says_something(series)) return;
  series.colour = colour;
  plot.series.push_back(std::move(series));
  plots.push_back(std::move(plot));
}

// "data_wait_seconds" becomes "Data wait seconds".
std::string readable(std::string_view key) {
  std::string text(key);
  std::ranges::replace(text, '_', ' ');
  if (!text.empty() && text[0] >= 'a' && text[0] <= 'z') text[0] -= 'a' - 'A';
  return text;
}

double last_finite(const std::vector<double>& values) {
  for (size_t i = values.size(); i-- > 0;)
    if (std::isfinite(values[i])) return values[i];
  return Metrics::kNone;
}

std::string figure_of(const Plot& plot, bool wide) {
  std::string out = fmt::format(
      "<figure class=\"plot{}\"><figcaption><b lang=\"{}\">{}</b><span class=\"legend\">",
      wide ? " wide" : "", language_of(plot.title), escape_html(plot.title));
  for (size_t i = 0; i < plot.series.size(); ++i) {
    const Series& series = plot.series[i];
    const double last = last_finite(series.y);
    if (plot.series.size() > 1) {
      const size_t colour = series.colour >= 0 ? static_cast<size_t>(series.colour) : i;
      out += fmt::format("<span><i class=\"f{}\"></i>{}", colour % 6, escape_html(series.name));
    } else {
      out += "<span>last";
    }
    out += fmt::format(" <b>{}</b></span>", std::isfinite(last) ? human_number(last) : "–");
  }
  out += "</span></figcaption><div class=\"canvas\">";
  if (wide) {
    out += render_plot(plot, {.width = 1000, .height = 340, .css_class = "wide"});
    out += render_plot(plot, {.css_class = "narrow"});
  } else {
    out += render_plot(plot, {});
  }
  out += "<div class=\"tip\" hidden></div></div><script type=\"application/json\">";
  return out + plot_data(plot) + "</script></figure>";
}

}  // namespace

std::vector<Plot> metric_plots(const std::vector<Metrics>& metrics) {
  std::vector<Plot> plots;
  if (metrics.empty()) return plots;
  if (Plot loss = loss_plot(metrics); !loss.series.empty()) plots.push_back(std::move(loss));
  add_plot(plots, {.title = "Learning rate", .from_zero = true},
           series_of(metrics, "lr", "learning rate"), 2);
  Series norm = series_of(metrics, "grad_norm", "gradient norm");
  norm.smooth = true;
  add_plot(plots, {.title = "Gradient norm", .y_scale = Scale::automatic}, std::move(norm), 3);
  Series speed = series_of(metrics, "tokens_per_second", "tokens a second");
  speed.smooth = true;
  add_plot(plots, {.title = "Speed", .from_zero = true}, std::move(speed), 4);
  Series memory = series_of(metrics, "memory_bytes", "resident");
  const bool large = std::ranges::any_of(memory.y, [](double bytes) { return bytes >= kGiB; });
  for (double& bytes : memory.y) bytes /= large ? kGiB : kMiB;
  add_plot(plots, {.title = large ? "Memory (GiB)" : "Memory (MiB)", .from_zero = true},
           std::move(memory), 5);
  std::vector<std::string> names;
  for (const Metrics& line : metrics)
    for (const auto& [name, value] : line.more)
      if (std::ranges::find(names, name) == names.end()) names.push_back(name);
  for (const std::string& name : names) {
    Series series = series_of(metrics, name, readable(name));
    series.smooth = true;
    add_plot(plots, {.title = readable(name)}, std::move(series), 0);
  }
  return plots;
}

Report& Report::plots(const Plots& plots) {
  std::string body = "<div class=\"plots\">";
  for (size_t i = 0; i < plots.plots.size(); ++i)
    body += figure_of(plots.plots[i], i == 0 && plots.wide_first);
  return block("plots", plots.heading, body + "</div>");
}

Report& Report::curves(const std::vector<Metrics>& metrics) {
  const std::vector<Plot> all = metric_plots(metrics);
  return all.empty() ? *this : plots({.plots = all, .wide_first = true});
}

}  // namespace malssi
