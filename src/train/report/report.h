// A report: one self-contained web page about a run - pretraining, tuning, a demo of many stages -
// that asks nothing of a network: plots are inline SVG, style and script are inline, a content
// policy forbids the rest. Light and dark, wide and narrow, English and Korean. A report is a list
// of parts (headings in its table of contents) that hold blocks, in the order of the calls. All
// text is taken as plain text and escaped.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/json.h"
#include "train/report/svg.h"
#include "train/run/metrics.h"

namespace malssi {

class Report {
 public:
  explicit Report(std::string title, std::string subtitle = "");

  // Opens a part. Blocks before the first part stand under the title.
  Report& part(std::string_view heading, std::string_view note = "");

  // Paragraphs, parted by blank lines.
  Report& text(std::string_view paragraphs);
  // Lines for a shell.
  Report& command(std::string_view lines);

  struct Figure {
    std::string value, label, note = {};
  };
  // The few numbers that matter, large.
  Report& figures(const std::vector<Figure>& figures);

  enum class Fold { open, closed };
  // Keys and values grouped by the first part of the key; nested objects and dotted keys alike.
  Report& config(std::string_view heading, const Json& config, Fold fold = Fold::closed);

  struct Table {
    std::string heading = {};
    std::vector<std::string> columns;
    std::vector<std::vector<std::string>> rows;  // a column of figures is set to the right
    std::string note = {};
  };
  Report& table(const Table& table);

  // Plots side by side where there is room; the first one takes the whole width when wide_first.
  struct Plots {
    std::string heading = {};
    std::vector<Plot> plots;
    bool wide_first = false;
  };
  Report& plots(const Plots& plots);
  // The curves of a run: loss and validation loss, learning rate, gradient norm, tokens a second,
  // memory, and whatever else its lines hold. Nothing when there are no lines.
  Report& curves(const std::vector<Metrics>& metrics);

  struct Sample {
    int64_t step = 0;
    double loss = Metrics::kNone;
    std::string prompt, text;  // the model wrote text
  };
  // What the model wrote as it learned; of many at most nine are shown, the first and the last
  // among them.
  Report& samples(std::string_view heading, const std::vector<Sample>& samples);

  enum class Mark { none, right, wrong };
  struct Answer {
    std::string text;
    Mark mark = Mark::none;
  };
  struct Compared {
    std::string prompt;
    std::vector<Answer> answers;  // one for each column
    std::string expected = {};
  };
  // The answers of several models (before and after) to the same prompts.
  Report& comparison(std::string_view heading, const std::vector<std::string>& columns,
                     const std::vector<Compared>& rows);

  struct Bars {
    std::string heading = {};
    std::vector<std::string> series;  // what the bars of one row stand for
    struct Row {
      std::string label;
      std::vector<double> values;  // one for each series; not finite: none
      double goal = Metrics::kNone;
    };
    std::vector<Row> rows;
    double full = 1;  // the value of a full bar; 1 shows values as per cent
    std::string note = {};
  };
  Report& bars(const Bars& bars);

  struct Stage {
    std::string name, summary;
    double seconds = 0;
  };
  // What was done one after the other, and how the time went.
  Report& stages(std::string_view heading, const std::vector<Stage>& stages);

  struct Turn {
    std::string role, text;
  };
  Report& dialogue(std::string_view heading, const std::vector<Turn>& turns);

  std::string html() const;
  // Whole or not at all.
  void save(const fs::path& file) const { write_file(file, html()); }

 private:
  struct Part {
    std::string heading, note, body;
  };
  Report& block(std::string_view kind, std::string_view heading, std::string_view body);

  std::string title_, subtitle_;
  std::vector<Part> parts_;  // the first has no heading
};

// The plots that Report::curves shows.
std::vector<Plot> metric_plots(const std::vector<Metrics>& metrics);

}  // namespace malssi
