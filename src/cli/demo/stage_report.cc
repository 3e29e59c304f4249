#include <algorithm>

#include "base/error.h"
#include "base/format.h"
#include "cli/demo/demo.h"
#include "cli/demo/evaluation.h"
#include "cli/demo/gains.h"
#include "train/report/report.h"
#include "train/run/journal.h"

namespace malssi::demo {
namespace {

struct Results {
  std::vector<world::Question> questions;
  std::vector<Reply> base, tuned;
  std::vector<Score> base_scores, tuned_scores;
};

Results load_results(const Demo& demo) {
  Results results;
  const fs::path folder = demo.folder / "evaluation";
  results.questions = world::load_questions(demo.folder / "world" / "eval.jsonl");
  results.base = load_replies(folder / "base.json");
  results.tuned = load_replies(folder / "tuned.json");
  results.base_scores = scores(results.questions, results.base);
  results.tuned_scores = scores(results.questions, results.tuned);
  return results;
}

std::string_view language_name(world::Language language) {
  return language == world::Language::english ? "English" : "Korean";
}

void add_figures(Report& report, const Results& results, double seconds) {
  using world::Language;
  const auto& tuned = results.tuned_scores;
  report.figures(
      {{.value = percent(share_of(tuned, "facts", Language::english)),
        .label = "facts, asked in new words, English",
        .note = concat("base model: ",
                       percent(share_of(results.base_scores, "facts", Language::english)))},
       {.value = percent(share_of(tuned, "facts", Language::korean)),
        .label = "facts, asked in new words, Korean",
        .note = concat("base model: ",
                       percent(share_of(results.base_scores, "facts", Language::korean)))},
       {.value = percent(share_of(tuned, "additions in steps")),
        .label = "new additions, worked in steps",
        .note = concat("at once: ", percent(share_of(tuned, "additions")))},
       {.value = human_seconds(seconds), .label = "from nothing to here"}});
}

void add_scores(Report& report, const Results& results) {
  Report::Bars bars;
  bars.series = {"base model", "tuned model"};
  bars.note =
      "Held-out wordings, additions, sentences and stories; a reply counts when it says exactly "
      "what is true in the world. The mark is what the demo promises.";
  for (const Score& score : results.tuned_scores)
    bars.rows.push_back(
        {.label = concat(score.set, ", ", language_name(score.language)),
         .values = {share_of(results.base_scores, score.set, score.language), score.share()},
         .goal = goal_of(score.set)});
  report.part("What they know", "The same questions to the model before and after tuning.")
      .bars(bars);
}

// The first two questions of each set in each language, asked of both models.
void add_answers(Report& report, const Results& results) {
  constexpr int64_t kShown = 2;
  std::vector<Report::Compared> rows;
  std::vector<Score> shown;  // counts in `asked`
  const auto mark = [](const Reply& reply) {
    return Report::Answer{.text = reply.text,
                          .mark = reply.right ? Report::Mark::right : Report::Mark::wrong};
  };
  for (size_t i = 0; i < results.questions.size(); ++i) {
    const world::Question& question = results.questions[i];
    auto count = std::find_if(shown.begin(), shown.end(), [&](const Score& known) {
      return known.set == question.set && known.language == question.language;
    });
    if (count == shown.end())
      count = shown.insert(shown.end(), {.set = question.set, .language = question.language});
    if (count->asked++ >= kShown) continue;
    std::string prompt;
    for (const Message& message : question.messages)
      prompt += concat(prompt.empty() ? "" : "\n", message.content);
    std::string expected;
    const bool is_list = question.check == world::Check::list;
    for (const std::string& answer : question.answers) {
      expected += concat(expected.empty() ? "" : ", ", answer);
      if (!is_list) break;
    }
    rows.push_back({.prompt = std::move(prompt),
                    .answers = {mark(results.base[i]), mark(results.tuned[i])},
                    .expected = std::move(expected)});
  }
  report.part("Before and after").comparison("", {"base model", "tuned model"}, rows);
}

void add_gains(Report& report, const std::vector<Gain>& gains) {
  Report::Bars bars;
  bars.series = {"before", "after"};
  Report::Table table{.columns = {"lesson", "promised", "reached", "at least", "more"},
                      .rows = {},
                      .note =
                          "Duels are decided by rule: one model wins a question where it alone is "
                          "right, polite and concise. KL is measured from the model that the "
                          "lesson began with."};
  for (const Gain& gain : gains) {
    bars.rows.push_back(
        {.label = concat(gain.lesson, ": ", gain.measure), .values = {gain.before, gain.after}});
    table.rows.push_back(
        {gain.lesson, gain.promise, percent(gain.reached), percent(gain.goal), gain.note});
  }
  report
      .part("What the lessons after tuning gained",
            "Questions that were kept back, before and "
            "after each lesson.")
      .bars(bars)
      .table(table);
}

void add_run(Report& report, std::string_view heading, const fs::path& run) {
  report.part(heading)
      .curves(read_metrics(run / "metrics.jsonl"))
      .samples("What it wrote as it learned", read_samples(run / "samples.jsonl", {}));
}

}  // namespace

std::optional<std::string> write_report(Demo& demo) {
  const Results results = load_results(demo);
  double seconds = 0;
  std::vector<Report::Stage> stages;
  for (const StageRecord& record : finished_stages(demo)) {
    seconds += record.seconds;
    stages.push_back({.name = record.title, .summary = record.summary, .seconds = record.seconds});
  }
  Report report("The life of a small language model",
                "Made, trained, tuned and questioned on this machine by malssi demo");
  add_figures(report, results, seconds);
  report.command(concat("malssi chat --model ", (demo.folder / "model").string(), " --lora ",
                        (demo.folder / "voice" / "adapter").string(), ":0"));
  report.stages("Stages", stages);
  add_scores(report, results);
  add_answers(report, results);
  add_gains(report, load_gains(demo.folder));
  add_run(report, "Pretraining", demo.folder / "base");
  add_run(report, "Tuning", demo.folder / "tuned");
  add_run(report, "Courtesy by choices: DPO", demo.folder / "dpo");
  add_run(report, "Courtesy by the reward model: PPO", demo.folder / "ppo");
  add_run(report, "Thoughts that help: GRPO", demo.folder / "grpo");
  report.part("Settings").config("Everything this demo depends on", demo.settings.to_json());
  report.save(demo.folder / "report.html");
  return (demo.folder / "report.html").string();
}

}  // namespace malssi::demo
