#include "cli/eval_classify.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <memory>

#include "base/error.h"
#include "base/format.h"
#include "base/json.h"
#include "cli/generation_flags.h"
#include "cli/load_classifier.h"
#include "data/labelled.h"
#include "eval/classification.h"

namespace malssi {
namespace {

struct ClassifyCommand {
  std::string model, data;
  std::string text_column = "text", label_column = "label";
  std::string dtype = "auto";
  bool skip_invalid = false;
  bool json = false;
  LoraFlags lora;
};

std::string percent(double share) { return fmt::format("{:.2f}%", 100 * share); }

Json confusion_json(const Confusion& confusion, const Labels& labels, int64_t cut) {
  Json classes = Json::array();
  for (int64_t i = 0; i < confusion.classes(); ++i) {
    Json answers = Json::object();
    for (int64_t j = 0; j < confusion.classes(); ++j)
      answers[labels.names[static_cast<size_t>(j)]] = confusion.at(i, j);
    classes.push_back({{"label", labels.names[static_cast<size_t>(i)]},
                       {"texts", confusion.of_class(i)},
                       {"precision", confusion.precision(i)},
                       {"recall", confusion.recall(i)},
                       {"f1", confusion.f1(i)},
                       {"answers", answers}});
  }
  const Interval interval = confusion.interval();
  return {{"texts", confusion.count()},
          {"cut", cut},
          {"accuracy", confusion.accuracy()},
          {"accuracy_low", interval.low},
          {"accuracy_high", interval.high},
          {"macro_f1", confusion.macro_f1()},
          {"classes", classes}};
}

// A cell of a table, cut and filled up to so many columns.
std::string cell(std::string_view text, int64_t width) {
  std::string line(text.substr(0, static_cast<size_t>(4 * width)));
  for (char& c : line)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  return fmt::format("{:<{}.{}}", line, width, width);
}

void print_confusion(const Confusion& confusion, const Labels& labels) {
  constexpr int64_t kWidth = 14;
  const Interval interval = confusion.interval();
  std::printf("accuracy   %s (95%% interval %s to %s)\nmacro F1   %s\ntexts      %lld\n\n",
              percent(confusion.accuracy()).c_str(), percent(interval.low).c_str(),
              percent(interval.high).c_str(), percent(confusion.macro_f1()).c_str(),
              static_cast<long long>(confusion.count()));
  std::string header = cell("label", kWidth) + " precision recall  F1      texts   answered as:";
  for (const std::string& name : labels.names) header += " " + cell(name, 10);
  std::printf("%s\n", header.c_str());
  for (int64_t i = 0; i < confusion.classes(); ++i) {
    std::string line = fmt::format("{} {:<9} {:<7} {:<7} {:<7}            ",
                                   cell(labels.names[static_cast<size_t>(i)], kWidth),
                                   percent(confusion.precision(i)), percent(confusion.recall(i)),
                                   percent(confusion.f1(i)), confusion.of_class(i));
    for (int64_t j = 0; j < confusion.classes(); ++j)
      line += fmt::format("  {:<10}", confusion.at(i, j));
    std::printf("%s\n", line.c_str());
  }
}

void report_classes(const ClassifyCommand& command, const Labels& labels,
                    const std::vector<LabelledText>& texts,
                    const std::vector<std::vector<float>>& scores, int64_t cut) {
  Confusion confusion(labels.size());
  for (size_t i = 0; i < texts.size(); ++i) {
    const auto found = std::find(labels.names.begin(), labels.names.end(), texts[i].label);
    REQUIRE(found != labels.names.end(), command.data, ": the label \"", texts[i].label,
            "\" is none of the model's (", labels.names.front(), ", ..): name the column of its ",
            "labels with --label-column");
    const auto best = std::max_element(scores[i].begin(), scores[i].end());
    confusion.add(found - labels.names.begin(), best - scores[i].begin());
  }
  if (command.json)
    std::printf("%s\n", dump_json(confusion_json(confusion, labels, cut), 2).c_str());
  else
    print_confusion(confusion, labels);
}

void report_regression(const ClassifyCommand& command, const std::vector<LabelledText>& texts,
                       const std::vector<std::vector<float>>& scores, int64_t cut) {
  std::vector<double> truths, answers;
  for (size_t i = 0; i < texts.size(); ++i) {
    truths.push_back(texts[i].value);
    answers.push_back(scores[i].front());
  }
  const RegressionScores found = regression_scores(truths, answers);
  if (command.json) {
    const Json json = {{"texts", static_cast<int64_t>(texts.size())},
                       {"cut", cut},
                       {"mean_squared_error", found.mean_squared_error},
                       {"r_squared", found.r_squared},
                       {"pearson", found.pearson},
                       {"spearman", found.spearman}};
    std::printf("%s\n", dump_json(json, 2).c_str());
    return;
  }
  std::printf(
      "mean squared error  %s\nR squared           %s\nPearson             %s\n"
      "Spearman            %s\ntexts               %zu\n",
      human_number(found.mean_squared_error).c_str(), human_number(found.r_squared).c_str(),
      human_number(found.pearson).c_str(), human_number(found.spearman).c_str(), texts.size());
}

void run(const ClassifyCommand& command, Runner& runner) {
  const LoadedModel loaded = load_classifier(command.model, command.dtype, command.lora);
  const Labels* labels = labels_of(*loaded.model);
  const LabelledData data = load_labelled(command.data, {.text_column = command.text_column,
                                                         .label_column = command.label_column,
                                                         .is_regression = labels->is_regression,
                                                         .skip_invalid = command.skip_invalid});
  if (data.invalid + data.empty_texts > 0)
    runner.console.warn(concat(command.data, ": ", data.invalid, " malformed records and ",
                               data.empty_texts, " empty texts left out"));
  std::vector<std::string_view> texts;
  for (const LabelledText& each : data.records) texts.push_back(each.text);
  const auto read = read_texts(loaded, texts, runner.console);
  const auto cut =
      std::count_if(read.begin(), read.end(), [](const auto& text) { return text.is_cut; });
  const auto scores = classify(*loaded.model, read, loaded.adapters);
  if (labels->is_regression)
    report_regression(command, data.records, scores, cut);
  else
    report_classes(command, *labels, data.records, scores, cut);
}

}  // namespace

void add_eval_classify(CLI::App& eval, Runner& runner) {
  auto command = std::make_shared<ClassifyCommand>();
  CLI::App* sub = eval.add_subcommand("classify", "how often a classifier is right");
  sub->footer(
      "Examples:\n"
      "  malssi eval classify --model runs/sentiment --data test.tsv --text-column document\n"
      "  malssi eval classify --model DIR --data test.jsonl --json\n"
      "Accuracy with its 95% interval, F1 and confusion of each class; of a regression the "
      "squared\n"
      "error and the correlations.");
  sub->add_option("--model", command->model, "classifier's folder, or the folder of a run")
      ->required()
      ->type_name("DIR");
  sub->add_option("--data", command->data,
                  "labelled texts: JSON Lines, a JSON array, .csv or .tsv, also .gz")
      ->required()
      ->type_name("FILE");
  sub->add_option("--text-column", command->text_column, "the column or key of the text");
  sub->add_option("--label-column", command->label_column, "the column or key of the label");
  sub->add_flag("--skip-invalid", command->skip_invalid, "leave out malformed records");
  sub->add_option("--dtype", command->dtype, "precision: auto, f32 or bf16")
      ->check(CLI::IsMember(kComputeDtypes))
      ->type_name("TYPE");
  command->lora.add_to(*sub);
  sub->add_flag("--json", command->json, "print JSON");
  sub->callback([command, &runner] { run(*command, runner); });
}

}  // namespace malssi
