// malssi classify: what a classifier says about texts, from the command line or one a line from standard input.
#include <algorithm>
#include <cstdio>
#include <memory>

#include "base/error.h"
#include "base/json.h"
#include "cli/commands.h"
#include "cli/generation_flags.h"
#include "cli/load_classifier.h"
#include "cli/terminal.h"

namespace malssi {
namespace {

struct ClassifyCommand {
  std::string model;
  std::vector<std::string> texts;
  std::string dtype = "auto";
  bool json = false;
  LoraFlags lora;
};

std::vector<std::string> texts_of(const ClassifyCommand& command) {
  if (!command.texts.empty()) return command.texts;
  std::vector<std::string> texts;
  LineReader reader(0);
  std::string line;
  while (reader.next(line) == LineEnd::newline)
    if (line.find_first_not_of(" \t") != line.npos) texts.push_back(line);
  REQUIRE(!texts.empty(), "no text to classify: give texts, or lines on standard input");
  return texts;
}

Json answer_json(const Labels& labels, const std::vector<float>& scores, const std::string& text) {
  if (labels.is_regression) return {{"text", text}, {labels.names.front(), scores.front()}};
  const std::vector<double> shares = probabilities(scores);
  Json all = Json::object();
  for (size_t i = 0; i < shares.size(); ++i) all[labels.names[i]] = shares[i];
  const auto best = std::max_element(shares.begin(), shares.end()) - shares.begin();
  return {{"text", text},
          {"label", labels.names[static_cast<size_t>(best)]},
          {"probability", shares[static_cast<size_t>(best)]},
          {"probabilities", all}};
}

void print(const Labels& labels, const std::vector<float>& scores, const std::string& text) {
  if (labels.is_regression) {
    std::printf("%.4f\t%s\n", static_cast<double>(scores.front()), text.c_str());
    return;
  }
  const std::vector<double> shares = probabilities(scores);
  const auto best = std::max_element(shares.begin(), shares.end()) - shares.begin();
  std::printf("%s\t%.4f\t%s\n", labels.names[static_cast<size_t>(best)].c_str(),
              shares[static_cast<size_t>(best)], text.c_str());
}

void run(const ClassifyCommand& command, Runner& runner) {
  const LoadedModel loaded = load_classifier(command.model, command.dtype, command.lora);
  const Labels* labels = labels_of(*loaded.model);
  const std::vector<std::string> texts = texts_of(command);
  const auto read = read_texts(loaded, {texts.begin(), texts.end()}, runner.console);
  const auto scores = classify(*loaded.model, read, loaded.adapters);
  for (size_t i = 0; i < texts.size(); ++i) {
    if (command.json)
      std::printf("%s\n", dump_json(answer_json(*labels, scores[i], texts[i])).c_str());
    else
      print(*labels, scores[i], texts[i]);
  }
}

}  // namespace

void add_classify(CLI::App& app, Runner& runner) {
  auto command = std::make_shared<ClassifyCommand>();
  CLI::App* sub = app.add_subcommand("classify", "label texts with a classifier");
  sub->footer(
      "Examples:\n"
      "  malssi classify --model runs/sentiment \"What a film!\" \"Never again.\"\n"
      "  malssi classify --model DIR --json < lines.txt\n"
      "  malssi classify --model ENCODER --lora PEFT_FOLDER \"What a film!\"\n"
      "Prints label, probability and text, a line each; of a regression the number and the text.\n"
      "Classifiers are trained by malssi tune classify and measured by malssi eval classify.");
  sub->add_option("--model", command->model, "classifier's folder, or the folder of a run")
      ->required()
      ->type_name("DIR");
  sub->add_option("texts", command->texts, "texts; without any, lines of standard input")
      ->type_name("TEXT");
  sub->add_option("--dtype", command->dtype, "precision: auto, f32 or bf16")
      ->check(CLI::IsMember(kComputeDtypes))
      ->type_name("TYPE");
  command->lora.add_to(*sub);
  sub->add_flag("--json", command->json, "print JSON Lines, with every label's probability");
  sub->callback([command, &runner] { run(*command, runner); });
}

}  // namespace malssi
