#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "scratch.h"
#include "train/report/html.h"
#include "train/report/report.h"

namespace malssi {
namespace {

// The names of tags left open or closed out of turn in a page; "" when all is well.
std::string unbalanced(const std::string& page) {
  static const std::set<std::string> kVoid = {"meta", "link", "br", "!doctype"};
  std::vector<std::string> open;
  for (size_t at = page.find('<'); at != page.npos; at = page.find('<', at + 1)) {
    const size_t end = page.find('>', at);
    if (end == page.npos) return "an unfinished tag";
    const bool closing = page[at + 1] == '/';
    const size_t name_at = at + (closing ? 2 : 1);
    const std::string name = page.substr(name_at, page.find_first_of(" >/", name_at) - name_at);
    if (closing) {
      if (open.empty() || open.back() != name) return "</" + name + ">";
      open.pop_back();
    } else if (!kVoid.contains(name) && page[end - 1] != '/') {
      open.push_back(name);
      if (name == "script" || name == "style") at = page.find("</" + name + ">", at) - 1;
    }
  }
  return open.empty() ? "" : open.back();
}

size_t count(const std::string& text, std::string_view part) {
  size_t found = 0;
  for (size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++found;
  return found;
}

std::vector<Metrics> run_of(int64_t steps) {
  std::vector<Metrics> lines;
  for (int64_t step = 1; step <= steps; ++step) {
    lines.push_back({.step = step,
                     .loss = 4.0 / std::sqrt(static_cast<double>(step)),
                     .lr = 1e-3,
                     .grad_norm = 1,
                     .tokens_per_second = 1000,
                     .memory_bytes = 1 << 28,
                     .more = {{"data_wait_seconds", 0.5}}});
    if (step % 10 == 0) lines.back().val_loss = lines.back().loss;
  }
  return lines;
}

Report full_report(const std::string& text) {
  Report report(text, text);
  report.figures({{text, text, text}}).stages(text, {{text, text, 12}});
  report.part(text, text).text(text + "\n\n" + text).command(text);
  report.config(text, Json{{text, {{text, text}}}});
  report.table({text, {text, text}, {{text, text}}, text});
  report.curves(run_of(100)).plots({text, {Plot{.title = text}}});
  report.part(text).samples(text, {{1, 2.0, text, text}});
  report.comparison(text, {text}, {{text, {{text, Report::Mark::right}}, text}});
  report.bars({text, {text, text}, {{text, {0.5, NAN}, 0.9}}, 1, text});
  report.dialogue(text, {{text, text}});
  return report;
}

TEST(Html, TextIsEscapedAndBrokenBytesAreShown) {
  EXPECT_EQ(escape_html("<a href=\"x\">&'"), "&lt;a href=&quot;x&quot;&gt;&amp;&#39;");
  EXPECT_EQ(escape_html("한글\tand\nlines"), "한글\tand\nlines");
  EXPECT_EQ(escape_html(std::string_view("a\0b\x1b\xff", 5)), "a\uFFFDb\uFFFD\uFFFD");
  EXPECT_EQ(escape_html("a\u202Eb\r"), "ab");
}

TEST(Html, KnowsKoreanFromEnglish) {
  EXPECT_EQ(language_of("옛날 옛적에"), "ko");
  EXPECT_EQ(language_of("Once upon a time"), "en");
  EXPECT_EQ(language_of("Mina는 연을 좋아해요"), "ko");
  EXPECT_EQ(language_of("the word 말씨 means a way of speaking"), "en");
  EXPECT_EQ(language_of(""), "en");
}

TEST(Report, IsWellFormedWithEveryKindOfBlock) {
  EXPECT_EQ(unbalanced(full_report("Plain text").html()), "");
  EXPECT_EQ(unbalanced(Report("Empty").html()), "");
}

TEST(Report, NothingHostileGetsThrough) {
  const std::string page =
      full_report("\"><script>alert('x')</script><img src=x onerror=y>&").html();
  EXPECT_EQ(unbalanced(page), "");
  EXPECT_EQ(page.find("alert('x')"), page.npos);
  EXPECT_EQ(page.find("<img"), page.npos);
  EXPECT_EQ(count(page, "<script>"), 1u) << "the page's own";
}

TEST(Report, AsksNothingOfANetwork) {
  const std::string page = full_report("text").html();
  EXPECT_EQ(page.find("src="), page.npos);
  EXPECT_EQ(page.find("url("), page.npos);
  EXPECT_EQ(page.find("@import"), page.npos);
  EXPECT_EQ(page.find("https:"), page.npos);
  EXPECT_EQ(count(page, "http:"), 1u) << "the name of SVG, which is no address to ask";
  EXPECT_NE(page.find("default-src 'none'"), page.npos);
}

TEST(Report, MarksKoreanAsKorean) {
  Report report("Run");
  report.samples("Samples", {{1, 2.5, "옛날에", " 소년이 살았어요."}});
  EXPECT_TRUE(
      contains(report.html(), "<div lang=\"ko\"><span class=\"prompt\" lang=\"ko\">옛날에</span>"));
}

TEST(Report, HasContentsOnceThereAreSeveralParts) {
  Report report("Run");
  report.part("One").text("1");
  EXPECT_EQ(report.html().find("<nav"), std::string::npos);
  report.part("Two").text("2");
  EXPECT_TRUE(contains(report.html(), "<a href=\"#part-2\">Two</a>"));
}

TEST(Report, CurvesShowWhatTheMetricsHold) {
  const std::vector<Plot> plots = metric_plots(run_of(50));
  std::vector<std::string> titles;
  for (const Plot& plot : plots) titles.push_back(plot.title);
  EXPECT_EQ(titles,
            (std::vector<std::string>{"Loss (nats a token)", "Learning rate", "Gradient norm",
                                      "Speed", "Memory (MiB)", "Data wait seconds"}));
  ASSERT_EQ(plots[0].series.size(), 2u);
  EXPECT_EQ(plots[0].series[0].y.size(), 50u);
  EXPECT_EQ(plots[0].series[1].y.size(), 5u);
  EXPECT_EQ(plots[4].series[0].y[0], 256);
}

TEST(Report, CurvesOfNothingAreNothing) {
  EXPECT_TRUE(metric_plots({}).empty());
  EXPECT_TRUE(metric_plots({Metrics{.step = 1}}).empty());
  EXPECT_EQ(Report("Run").curves({}).html().find("<figure"), std::string::npos);
}

TEST(Report, ConfigsAreGroupedByTheFirstPartOfTheKey) {
  Report nested("Run"), dotted("Run");
  nested.config("Config", Json{{"seed", 1}, {"model", {{"width", 128}, {"paths", {"a", "b"}}}}});
  dotted.config("Config", Json{{"model.width", 128}, {"seed", 1}, {"model.paths", {"a", "b"}}});
  for (const Report& report : {nested, dotted}) {
    EXPECT_TRUE(contains(report.html(),
                         "<b>model</b><dl><dt>width</dt><dd>128</dd><dt>paths</dt><dd>a, b</dd>"));
    EXPECT_LT(report.html().find("<dt>seed"), report.html().find("<b>model"));
  }
}

TEST(Report, OfManySamplesNineAreShownTheFirstAndLastAmongThem) {
  std::vector<Report::Sample> samples;
  for (int64_t i = 0; i < 40; ++i)
    samples.push_back({i, 1.0, "", "sample-" + std::to_string(i) + "."});
  Report report("Run");
  report.samples("Samples", samples);
  const std::string page = report.html();
  EXPECT_EQ(count(page, "sample-"), 9u);
  EXPECT_TRUE(contains(page, "sample-0."));
  EXPECT_TRUE(contains(page, "sample-39."));
  EXPECT_TRUE(contains(page, "9 of 40 samples"));
}

TEST(Report, ColumnsOfFiguresAreSetToTheRight) {
  Report report("Run");
  report.table({.columns = {"set", "loss", "what"}, .rows = {{"a", "1.5", "x"}, {"b", "-", "12"}}});
  EXPECT_TRUE(contains(report.html(), "<td>a</td><td class=\"right\">1.5</td><td>x</td>"));
}

TEST(Report, RowsThatDoNotFitTheirColumnsAreOurError) {
  Report report("Run");
  EXPECT_THROW(report.table({.columns = {"a", "b"}, .rows = {{"1"}}}), InternalError);
  EXPECT_THROW(report.comparison("", {"a"}, {{.prompt = "p", .answers = {}}}), InternalError);
  EXPECT_THROW(report.bars({.series = {"a"}, .rows = {{"r", {1, 2}}}}), InternalError);
}

TEST(Report, IsSavedWhole) {
  ScratchFolder folder;
  const Report report = full_report("text");
  report.save(folder / "report.html");
  const std::string page = read_file(folder / "report.html");
  EXPECT_TRUE(page.starts_with("<!doctype html>"));
  EXPECT_TRUE(page.ends_with("</html>\n"));
}

}  // namespace
}  // namespace malssi
