// malssi quantize: a model with fewer bits for each weight.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>

#include "base/error.h"
#include "base/format.h"
#include "base/json.h"
#include "cli/commands.h"
#include "cli/generation_flags.h"
#include "data/corpus.h"
#include "eval/divergence.h"
#include "eval/importance.h"
#include "io/gguf_model.h"
#include "io/model_folder.h"
#include "io/quant_mix.h"

namespace malssi {
namespace {

constexpr int64_t kWindow = 512;               // tokens that go through the model together
constexpr int64_t kCalibrationTokens = 65536;  // more of them change an importance little

struct QuantizeCommand {
  std::string from, to, type = "q4_k_m", calibrate, measure;
  int64_t tokens = 0;
  bool json = false;
};

// The text's first tokens.
std::vector<int32_t> encode_text(const std::string& path, const Tokenizer& tokenizer,
                                 int64_t limit) {
  std::vector<int32_t> ids;
  for_each_document({.paths = {path}}, [&](std::string_view document) {
    if (static_cast<int64_t>(ids.size()) < limit) tokenizer.encode(document, {}, ids);
  });
  if (static_cast<int64_t>(ids.size()) > limit) ids.resize(static_cast<size_t>(limit));
  REQUIRE(ids.size() >= 2, path, ": holds no two tokens: give a longer text");
  return ids;
}

int64_t window_of(const Model& model) { return std::min(kWindow, model.config().context); }

Importance learn_importance(const QuantizeCommand& command, Console& console) {
  const LoadedModel loaded = load_model(command.from, best_compute_dtype());
  Model& model = *loaded.model;
  const auto ids = encode_text(command.calibrate, *loaded.tokenizer, kCalibrationTokens);
  ImportanceCollector collector(model);
  const auto window = static_cast<size_t>(window_of(model));
  for (size_t at = 0; at < ids.size(); at += window) {
    collector.add(std::span(ids).subspan(at, std::min(window, ids.size() - at)), kWindow);
    console.progress({.done = collector.tokens(),
                      .total = static_cast<int64_t>(ids.size()),
                      .text = "calibrating"});
  }
  console.end_progress();
  return gguf_importance(model, collector.importance());
}

std::vector<GgufTarget> targets_of(const QuantMix& mix, const GgufPlan& plan,
                                   const Importance& importance) {
  const auto has = importance.empty() ? HasImportance::no : HasImportance::yes;
  const std::vector<DType> dtypes = choose_dtypes(mix, plan, has);
  std::vector<GgufTarget> targets;
  for (size_t i = 0; i < dtypes.size(); ++i) {
    const auto found = importance.find(plan.tensors[i].name);
    targets.push_back({dtypes[i], found == importance.end() ? nullptr : &found->second});
  }
  return targets;
}

struct Sizes {
  int64_t before = 0, after = 0, numbers = 0;
  std::map<std::string_view, int64_t> tensors;  // of each dtype

  double bits() const { return 8.0 * static_cast<double>(after) / static_cast<double>(numbers); }
};

Sizes sizes_of(const GgufPlan& plan, const std::vector<GgufTarget>& targets) {
  Sizes sizes;
  for (size_t i = 0; i < targets.size(); ++i) {
    const int64_t count = plan.tensors[i].shape.size();
    sizes.numbers += count;
    sizes.before += dtype_bytes(plan.tensors[i].dtype, count);
    sizes.after += dtype_bytes(targets[i].dtype, count);
    ++sizes.tensors[dtype_name(targets[i].dtype)];
  }
  return sizes;
}

Divergence measure(const QuantizeCommand& command, Console& console) {
  const LoadedModel original = load_model(command.from, DType::f32);
  const LoadedModel changed = load_model(command.to, DType::f32, ImportMode::hold);
  const int64_t limit = command.tokens > 0 ? command.tokens : int64_t{1} << 40;
  const auto ids = encode_text(command.measure, *original.tokenizer, limit);
  int64_t done = 0;
  const Divergence result = measure_divergence(
      *original.model, *changed.model, ids, window_of(*original.model), [&](int64_t more) {
        done += more;
        console.progress(
            {.done = done, .total = static_cast<int64_t>(ids.size()), .text = "comparing"});
      });
  console.end_progress();
  return result;
}

Json result_json(const QuantMix& mix, const Sizes& sizes, double seconds,
                 const std::optional<Divergence>& d) {
  Json tensors = Json::object();
  for (const auto& [name, count] : sizes.tensors) tensors[std::string(name)] = count;
  Json json = {{"type", mix.name},           {"bytes_before", sizes.before},
               {"bytes_after", sizes.after}, {"bits_per_weight", sizes.bits()},
               {"tensors", tensors},         {"seconds", seconds}};
  if (d)
    json["divergence"] = {
        {"tokens", d->tokens},
        {"perplexity_original", d->perplexity_original()},
        {"perplexity_quantized", d->perplexity_changed()},
        {"mean_kl", d->mean()},
        {"largest_kl", d->worst},
        {"same_best", static_cast<double>(d->same_best) / static_cast<double>(d->tokens)}};
  return json;
}

void print_text(const QuantMix& mix, const Sizes& sizes, double seconds,
                const std::optional<Divergence>& d) {
  const auto row = [](const char* label, const std::string& value) {
    std::printf("%-18s %s\n", label, value.c_str());
  };
  std::string tensors;
  for (const auto& [name, count] : sizes.tensors)
    tensors += fmt::format("{}{} {}", tensors.empty() ? "" : ", ", count, name);
  row("type", std::string(mix.name) + " (" + tensors + ")");
  row("size", human_bytes(sizes.before) + " -> " + human_bytes(sizes.after));
  row("bits per weight", human_number(sizes.bits()));
  row("time", human_seconds(seconds));
  if (!d) return;
  row("perplexity",
      human_number(d->perplexity_original()) + " -> " + human_number(d->perplexity_changed()));
  row("KL divergence",
      fmt::format("{} nats a token, at most {}", human_number(d->mean()), human_number(d->worst)));
  row("same best token",
      fmt::format("{:.2f}% of {}",
                  100.0 * static_cast<double>(d->same_best) / static_cast<double>(d->tokens),
                  d->tokens));
}

void run(const QuantizeCommand& command, Runner& runner) {
  if (fs::path(command.to).extension() != ".gguf")
    throw UsageError("TO: " + command.to + "; quantised models are .gguf files");
  const QuantMix& mix = quant_mix(command.type);
  const auto start = std::chrono::steady_clock::now();
  std::optional<ModelSource> source;
  if (!is_gguf_file(command.from)) source = open_model(command.from);
  const GgufPlan plan =
      source ? plan_gguf(*source) : plan_gguf(std::make_shared<const Gguf>(command.from));
  const Importance importance =
      command.calibrate.empty() ? Importance() : learn_importance(command, runner.console);
  const std::vector<GgufTarget> targets = targets_of(mix, plan, importance);
  write_gguf(command.to, plan, targets, mix.file_type,
             [&, done = int64_t{0}](const LazyTensor& tensor) mutable {
               runner.console.progress({.done = ++done,
                                        .total = static_cast<int64_t>(plan.tensors.size()),
                                        .text = tensor.name});
             });
  runner.console.end_progress();
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  const Sizes sizes = sizes_of(plan, targets);
  std::optional<Divergence> divergence;
  if (!command.measure.empty()) divergence = measure(command, runner.console);
  if (command.json)
    std::printf("%s\n", dump_json(result_json(mix, sizes, seconds.count(), divergence), 2).c_str());
  else
    print_text(mix, sizes, seconds.count(), divergence);
}

}  // namespace

void add_quantize(CLI::App& app, Runner& runner) {
  auto command = std::make_shared<QuantizeCommand>();
  CLI::App* sub = app.add_subcommand("quantize", "a model with fewer bits for each weight");
  std::string types;
  for (const std::string& name : quant_mix_names()) types += (types.empty() ? "" : ", ") + name;
  sub->footer(
      "Examples:\n"
      "  malssi quantize runs/demo/model model-q4.gguf\n"
      "  malssi quantize model.gguf model-q6.gguf --type q6_k\n"
      "  malssi quantize model/ small.gguf --type q3_k_m --calibrate text.txt --measure other.txt\n"
      "Types: " +
      types +
      ".\n"
      "_S, _M and _L spend more bits on the tensors that need them. A calibration text of the kind "
      "that the\nmodel will see shows which columns of a weight matter; it helps below five bits.");
  sub->add_option("from", command->from, "a model folder, a run, or a .gguf file")
      ->required()
      ->type_name("FROM");
  sub->add_option("to", command->to, "the .gguf file to write")->required()->type_name("TO");
  sub->add_option("--type", command->type, "what the weights become (default: q4_k_m)")
      ->type_name("TYPE");
  sub->add_option("--calibrate", command->calibrate, "a text that shows which columns matter")
      ->type_name("FILE");
  sub->add_option("--measure", command->measure,
                  "compare with the original on this text: perplexity, KL divergence")
      ->type_name("FILE");
  sub->add_option("--tokens", command->tokens, "measure on so many tokens (default: all)")
      ->check(CLI::PositiveNumber);
  sub->add_flag("--json", command->json, "print JSON");
  sub->callback([command, &runner] { run(*command, runner); });
}

}  // namespace malssi
