#include "train/report/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "base/error.h"
#include "base/format.h"
#include "train/report/html.h"
#include "train/report/report_page.h"

namespace malssi {
namespace {

constexpr size_t kSamplesShown = 9;

// <tag class="..." lang="..">text</tag>, escaped.
std::string element(std::string_view tag, std::string_view classes, std::string_view text) {
  const std::string attribute =
      classes.empty() ? "" : fmt::format(" class=\"{}\"", escape_html(classes));
  const std::string language = language_of(text) == "ko" ? " lang=\"ko\"" : "";
  return fmt::format("<{0}{1}{2}>{3}</{0}>", tag, attribute, language, escape_html(text));
}

std::string paragraphs(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const size_t end = std::min(text.find("\n\n"), text.size());
    if (end > 0) out += element("p", "", text.substr(0, end));
    text.remove_prefix(std::min(end + 2, text.size()));
  }
  return out;
}

// Whether a table's cell is a figure: "12.3k", "-0.5", "87%", "1.2 GiB", "3m 05s", "" and "-".
bool is_figure(std::string_view cell) {
  if (cell.empty() || cell == "-" || cell == "–") return true;
  if (cell.front() == '-' || cell.front() == '+') cell.remove_prefix(1);
  return cell.size() <= 14 && !cell.empty() && cell.front() >= '0' && cell.front() <= '9' &&
         cell.find('-') == cell.npos;
}

std::string json_text(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (!value.is_array())
    return value.is_number_float() ? human_number(value.get<double>()) : dump_json(value);
  std::string text;
  for (const Json& item : value) text += (text.empty() ? "" : ", ") + json_text(item);
  return text;
}

struct Setting {
  std::string group, key, value;
};

// Every value with its dotted path; what stands before the first dot is its group.
void flatten(const Json& json, const std::string& path, std::vector<Setting>& settings) {
  if (json.is_object()) {
    for (const auto& [key, value] : json.items())
      flatten(value, path.empty() ? key : path + "." + key, settings);
    return;
  }
  const size_t dot = path.find('.');
  const std::string group = dot == path.npos ? "" : path.substr(0, dot);
  settings.push_back({group, dot == path.npos ? path : path.substr(dot + 1), json_text(json)});
}

// Segments of the course take turns with the six colours.
size_t colour_of(size_t index) { return index % 6; }

// Of several bars the last one, which the others lead up to, has the accent, the first one is grey.
size_t bar_colour(size_t index, size_t count) {
  if (index + 1 == count) return 0;
  return index == 0 ? 5 : 1 + index % 4;
}

std::string bar(double value, double full, double goal, size_t colour) {
  if (!std::isfinite(value)) return "";
  const double part = std::clamp(full > 0 ? value / full : 0.0, 0.0, 1.0) * 100;
  const std::string goal_mark =
      std::isfinite(goal)
          ? fmt::format("<span class=\"goal\" style=\"left:{:.2f}%\" title=\"goal: {}\"></span>",
                        std::clamp(goal / full, 0.0, 1.0) * 100, human_number(goal))
          : "";
  const std::string shown = full == 1 ? fmt::format("{:.1f}%", value * 100) : human_number(value);
  return fmt::format(
      "<div class=\"bar\"><div class=\"track\"><div class=\"fill f{}\" "
      "style=\"width:{:.2f}%\"></div>"
      "{}</div><div class=\"value\">{}</div></div>",
      colour, part, goal_mark, shown);
}

}  // namespace

Report::Report(std::string title, std::string subtitle)
    : title_(std::move(title)), subtitle_(std::move(subtitle)), parts_(1) {}

Report& Report::part(std::string_view heading, std::string_view note) {
  parts_.push_back({.heading = std::string(heading), .note = std::string(note), .body = ""});
  return *this;
}

Report& Report::block(std::string_view kind, std::string_view heading, std::string_view body) {
  std::string& out = parts_.back().body;
  out += fmt::format("<section class=\"block {}-block\">", kind);
  if (!heading.empty()) out += element("h3", "", heading);
  out += body;
  out += "</section>\n";
  return *this;
}

Report& Report::text(std::string_view text) { return block("text", "", paragraphs(text)); }

Report& Report::command(std::string_view lines) {
  return block("command", "", fmt::format("<pre class=\"command\">{}</pre>", escape_html(lines)));
}

Report& Report::figures(const std::vector<Figure>& figures) {
  std::string body = "<div class=\"figures\">";
  for (const Figure& figure : figures) {
    body += "<div>" + element("b", "", figure.value) + element("span", "", figure.label);
    if (!figure.note.empty()) body += element("small", "", figure.note);
    body += "</div>";
  }
  return block("figures", "", body + "</div>");
}

Report& Report::config(std::string_view heading, const Json& config, Fold fold) {
  std::vector<Setting> settings;
  flatten(config, "", settings);
  std::ranges::stable_sort(settings, {}, [](const Setting& setting) {
    return setting.group.empty() ? 0 : 1;  // what has no group comes first
  });
  std::vector<std::string> groups;
  for (const Setting& setting : settings)
    if (std::ranges::find(groups, setting.group) == groups.end()) groups.push_back(setting.group);
  std::string body = fmt::format("<details{}><summary>{}</summary><div class=\"groups\">",
                                 fold == Fold::open ? " open" : "", escape_html(heading));
  for (const std::string& group : groups) {
    body += "<div class=\"group\">";
    if (!group.empty()) body += element("b", "", group);
    body += "<dl>";
    for (const Setting& setting : settings)
      if (setting.group == group)
        body += element("dt", "", setting.key) + element("dd", "", setting.value);
    body += "</dl></div>";
  }
  return block("config", "", body + "</div></details>");
}

Report& Report::table(const Table& table) {
  const size_t columns = table.columns.size();
  std::vector<std::string> classes(columns, "right");
  for (const auto& row : table.rows) {
    CHECK(row.size() == columns, "report: a row of ", row.size(), " cells in a table of ", columns);
    for (size_t i = 0; i < columns; ++i)
      if (i == 0 || !is_figure(row[i])) classes[i] = "";
  }
  std::string body = "<div class=\"card scroll\"><table><thead><tr>";
  for (size_t i = 0; i < columns; ++i) body += element("th", classes[i], table.columns[i]);
  body += "</tr></thead><tbody>";
  for (const auto& row : table.rows) {
    body += "<tr>";
    for (size_t i = 0; i < columns; ++i) body += element("td", classes[i], row[i]);
    body += "</tr>";
  }
  body += "</tbody></table></div>";
  if (!table.note.empty()) body += element("p", "note", table.note);
  return block("table", table.heading, body);
}

Report& Report::samples(std::string_view heading, const std::vector<Sample>& samples) {
  const size_t shown = std::min(samples.size(), kSamplesShown);
  std::string body = "<ol class=\"samples\">";
  for (size_t i = 0; i < shown; ++i) {
    const Sample& sample = samples[shown < 2 ? i : i * (samples.size() - 1) / (shown - 1)];
    const std::string loss = std::isfinite(sample.loss)
                                 ? fmt::format("<small>loss {:.3f}</small>", sample.loss)
                                 : std::string();
    body += fmt::format("<li><div class=\"when\">step {}{}</div><div lang=\"{}\">",
                        human_count(static_cast<double>(sample.step)), loss,
                        language_of(sample.prompt + sample.text));
    if (!sample.prompt.empty()) body += element("span", "prompt", sample.prompt);
    body += escape_html(sample.text) + "</div></li>";
  }
  body += "</ol>";
  if (shown < samples.size())
    body += fmt::format("<p class=\"note\">{} of {} samples.</p>", shown, samples.size());
  return block("samples", heading, body);
}

Report& Report::comparison(std::string_view heading, const std::vector<std::string>& columns,
                           const std::vector<Compared>& rows) {
  std::string body = "<ol class=\"compare\">";
  for (const Compared& row : rows) {
    CHECK(row.answers.size() == columns.size(), "report: ", row.answers.size(), " answers for ",
          columns.size(), " columns");
    body += "<li>" + element("p", "ask", row.prompt);
    if (!row.expected.empty()) body += element("p", "want", "expected: " + row.expected);
    body += "<div class=\"answers\">";
    for (size_t i = 0; i < columns.size(); ++i) {
      const Answer& answer = row.answers[i];
      const std::string_view classes = answer.mark == Mark::right   ? " class=\"right-answer\""
                                       : answer.mark == Mark::wrong ? " class=\"wrong-answer\""
                                                                    : "";
      const std::string_view sign = answer.mark == Mark::right   ? " ✓"
                                    : answer.mark == Mark::wrong ? " ✗"
                                                                 : "";
      body += fmt::format("<div{}><small>{}{}</small>", classes, escape_html(columns[i]), sign);
      body += answer.text.empty() ? "<span class=\"empty\">nothing</span>"
                                  : element("span", "", answer.text);
      body += "</div>";
    }
    body += "</div></li>";
  }
  return block("compare", heading, body + "</ol>");
}

Report& Report::bars(const Bars& bars) {
  std::string body;
  if (bars.series.size() > 1) {
    body += "<div class=\"key\">";
    for (size_t i = 0; i < bars.series.size(); ++i)
      body += fmt::format("<span><i class=\"f{}\"></i>{}</span>", bar_colour(i, bars.series.size()),
                          escape_html(bars.series[i]));
    body += "</div>";
  }
  body += "<div class=\"card bars\">";
  for (const Bars::Row& row : bars.rows) {
    CHECK(row.values.size() == bars.series.size(), "report: ", row.values.size(), " bars for ",
          bars.series.size(), " series");
    body += element("div", "label", row.label) + "<div class=\"row\">";
    const size_t count = row.values.size();
    for (size_t i = 0; i < count; ++i)
      body += bar(row.values[i], bars.full, i + 1 == count ? row.goal : Metrics::kNone,
                  bar_colour(i, count));
    body += "</div>";
  }
  body += "</div>";
  if (!bars.note.empty()) body += element("p", "note", bars.note);
  return block("bars", bars.heading, body);
}

Report& Report::stages(std::string_view heading, const std::vector<Stage>& stages) {
  std::string course, list;
  double total = 0;
  for (size_t i = 0; i < stages.size(); ++i) {
    const Stage& stage = stages[i];
    const std::string time = human_seconds(stage.seconds);
    total += stage.seconds;
    course +=
        fmt::format("<i class=\"f{}\" style=\"flex:{:.3f}\" title=\"{}: {}\"></i>", colour_of(i),
                    std::max(stage.seconds, 0.001), escape_html(stage.name), time);
    list += fmt::format("<li><i class=\"f{}\"></i>", colour_of(i)) + element("b", "", stage.name) +
            fmt::format("<time>{}</time>", time);
    if (!stage.summary.empty()) list += element("span", "", stage.summary);
    list += "</li>";
  }
  return block("stages", heading,
               "<div class=\"course\">" + course + "</div><ol class=\"stages\">" + list +
                   "</ol><p class=\"note total\">" + human_seconds(total) + " in all</p>");
}

Report& Report::dialogue(std::string_view heading, const std::vector<Turn>& turns) {
  std::string body = "<ol class=\"card talk\">";
  for (const Turn& turn : turns) body += element("li", turn.role, turn.text);
  return block("talk", heading, body + "</ol>");
}

std::string Report::html() const {
  std::string navigation, body;
  for (size_t i = 0; i < parts_.size(); ++i) {
    const Part& part = parts_[i];
    if (part.heading.empty() && part.body.empty()) continue;
    body += fmt::format("<div class=\"part\" id=\"part-{}\">", i);
    if (!part.heading.empty()) {
      navigation +=
          fmt::format("<li><a href=\"#part-{}\">{}</a></li>", i, escape_html(part.heading));
      body += "<header>" + element("h2", "", part.heading);
      if (!part.note.empty()) body += element("p", "", part.note);
      body += "</header>";
    }
    body += part.body + "</div>\n";
  }
  if (parts_.size() > 2) {
    navigation = "<nav aria-label=\"Contents\"><ol>" + navigation + "</ol></nav>\n";
  } else {
    navigation.clear();
  }
  return report_page(title_, subtitle_, navigation, body);
}

}  // namespace malssi
