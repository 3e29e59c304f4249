#include "train/run/journal.h"

#include <cmath>

#include "base/error.h"
#include "base/format.h"
#include "train/report/behaviour.h"

namespace malssi {
namespace {

std::string sample_line(const Report::Sample& sample) {
  Json json;
  json["step"] = sample.step;
  if (std::isfinite(sample.loss)) json["val_loss"] = sample.loss;
  json["prompt"] = sample.prompt;
  json["text"] = sample.text;
  return dump_json(json) + "\n";
}

Report::Sample parse_sample(const std::string& line, std::string_view where) {
  const Json json = parse_json(line, where);
  return {.step = get<int64_t>(json, "step", where),
          .loss = get_or<double>(json, "val_loss", Metrics::kNone, where),
          .prompt = get<std::string>(json, "prompt", where),
          .text = get<std::string>(json, "text", where)};
}

// What was written to the same prompts at step 0 and at the last; nothing where nothing was at step 0.
std::vector<Report::Compared> before_and_after(const std::vector<Report::Sample>& samples) {
  std::vector<Report::Compared> rows;
  if (samples.empty() || samples.back().step == 0) return rows;
  for (const Report::Sample& before : samples) {
    if (before.step > 0) break;
    for (const Report::Sample& after : samples)
      if (after.step == samples.back().step && after.prompt == before.prompt)
        rows.push_back(
            {.prompt = before.prompt, .answers = {{.text = before.text}, {.text = after.text}}});
  }
  return rows;
}

// What the user said last: a sample's prompt shows turns with their roles.
std::string_view last_turn(std::string_view prompt) {
  constexpr std::string_view kRole = "user: ";
  const size_t at = prompt.rfind(kRole);
  return at == prompt.npos ? prompt : prompt.substr(at + kRole.size());
}

// How often the answers show what training may have brought along by accident.
Report::Table behaviour_table(const std::vector<Report::Compared>& changes) {
  Behaviour before, after;
  for (const Report::Compared& each : changes) {
    before.add(last_turn(each.prompt), each.answers.front().text);
    after.add(last_turn(each.prompt), each.answers.back().text);
  }
  Report::Table table{.heading = "Behaviour",
                      .columns = {"", "before", "after"},
                      .rows = {},
                      .note = concat("Counted over ", changes.size(), " prompts.")};
  for (const BehaviourRow& row : behaviour_rows(before, after))
    table.rows.push_back({row.name, row.before, row.after});
  for (const std::string& finding : behaviour_findings(before, after))
    table.note += concat(" Warning: ", finding, ".");
  return table;
}

// The samples file with only what stays, ready for more.
AppendFile open_samples(const fs::path& file, const std::vector<Report::Sample>& kept) {
  AppendFile out(file, {.keep_bytes = 0});
  for (const auto& sample : kept) out.write(sample_line(sample));
  return out;
}

std::vector<Report::Figure> headline(const std::vector<Metrics>& metrics) {
  const Metrics* best = nullptr;
  const Metrics& last = metrics.back();
  double pace = 0;
  for (const Metrics& each : metrics) {
    if (std::isfinite(each.val_loss) && (!best || each.val_loss < best->val_loss)) best = &each;
    if (std::isfinite(each.tokens_per_second)) pace = each.tokens_per_second;
  }
  std::vector<Report::Figure> figures;
  if (best) {
    figures.push_back({human_number(best->val_loss), "best validation loss",
                       concat("nats a token, at step ", best->step)});
  }
  if (std::isfinite(last.loss)) figures.push_back({human_number(last.loss), "training loss"});
  figures.push_back(
      {human_count(static_cast<double>(last.tokens)), "tokens", concat(last.step, " steps")});
  figures.push_back({human_count(pace), "tokens a second"});
  figures.push_back({human_seconds(last.elapsed_seconds), "time"});
  figures.push_back({human_bytes(peak_memory_bytes()), "memory at most"});
  return figures;
}

}  // namespace

std::vector<Report::Sample> read_samples(const fs::path& file, std::optional<int64_t> last_step) {
  std::vector<Report::Sample> samples;
  if (!fs::exists(file)) return samples;
  const std::string text = read_file(file);
  size_t begin = 0;
  for (size_t end; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1) {
    try {
      samples.push_back(parse_sample(text.substr(begin, end - begin), file.string()));
    } catch (const Error&) {
      continue;
    }
    if (last_step && samples.back().step > *last_step) samples.pop_back();
  }
  return samples;
}

Journal::Journal(const fs::path& run, const JournalOptions& options,
                 std::optional<int64_t> resumed_step)
    : run_(run),
      options_(options),
      metrics_(run / "metrics.jsonl", resumed_step),
      samples_(resumed_step ? read_samples(run / "samples.jsonl", resumed_step)
                            : std::vector<Report::Sample>{}),
      samples_file_(open_samples(run / "samples.jsonl", samples_)) {
  if (options_.tensorboard) events_.emplace(run, resumed_step ? *resumed_step + 1 : 0);
}

void Journal::record(const Metrics& metrics) {
  metrics_.write(metrics);
  if (!events_) return;
  const auto put = [&](std::string_view tag, double value) {
    if (std::isfinite(value)) events_->scalar(tag, metrics.step, value);
  };
  put("loss/train", metrics.loss);
  put("loss/validation", metrics.val_loss);
  put("optimiser/learning_rate", metrics.lr);
  put("optimiser/gradient_norm", metrics.grad_norm);
  put("machine/tokens_per_second", metrics.tokens_per_second);
  put("machine/memory_bytes", static_cast<double>(metrics.memory_bytes));
  for (const auto& [name, value] : metrics.more) put("more/" + name, value);
}

void Journal::sample(const Report::Sample& sample) {
  samples_.push_back(sample);
  samples_file_.write(sample_line(sample));
  if (events_) events_->text("samples", sample.step, sample.prompt + sample.text);
}

void Journal::publish() {
  metrics_.sync();
  if (!options_.report) return;
  const std::vector<Metrics> metrics = read_metrics(run_ / "metrics.jsonl");
  if (metrics.empty()) return;
  Report report(options_.title, options_.subtitle);
  report.figures(headline(metrics)).part("Curves").curves(metrics);
  const std::vector<Report::Compared> changes = before_and_after(samples_);
  if (!changes.empty())
    report.part("Before and after", "The same prompts, before the first step and after the last.")
        .comparison("", {"before", "after"}, changes)
        .table(behaviour_table(changes));
  if (!samples_.empty()) {
    report.part("Samples", "What the model wrote as it learned.").samples("", samples_);
  }
  report.part("Settings").config("config.toml", options_.config, Report::Fold::open);
  report.save(run_ / "report.html");
}

}  // namespace malssi
