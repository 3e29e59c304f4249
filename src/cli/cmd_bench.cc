// malssi bench: how fast this machine is, and how near a model comes to that.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>

#include "base/error.h"
#include "base/format.h"
#include "base/json.h"
#include "base/signal.h"
#include "cli/cache_flag.h"
#include "cli/commands.h"
#include "cli/generation_flags.h"
#include "eval/machine_speed.h"
#include "eval/model_speed.h"
#include "io/model_folder.h"
#include "io/model_source.h"
#include "train/pretrain/language.h"
#include "train/pretrain/pretrain_config.h"

namespace malssi {
namespace {

constexpr int64_t kCharacters =
    65;  // of Tiny Shakespeare: a character tokenizer knows its data only

struct BenchCommand {
  std::string recipe;
  std::string model;
  std::vector<std::string> set;
  std::string dtype = "auto";
  int64_t vocab = 0;
  int64_t rows = 0, context = 0, prompt = 0;
  std::vector<int64_t> sequences = {1, 8};
  std::string only;
  std::optional<int64_t> past;
  double seconds = 2;
  std::optional<DType> cache;
  bool json = false;
};

// What is measured: a model, and how it is trained.
struct Subject {
  std::string name;
  std::unique_ptr<Model> model;
  OptimSettings optim;
  TrainingShape shape;
};

int64_t vocab_of(const BenchCommand& command, const TokenizerSettings& tokenizer) {
  if (command.vocab > 0) return command.vocab;
  if (tokenizer.kind == "char") return kCharacters;
  return tokenizer.kind == "byte" ? 256 : tokenizer.vocab_size;
}

Subject subject_of_recipe(const BenchCommand& command) {
  PretrainConfig config;
  ConfigSchema schema(config);
  schema.load_toml(command.recipe);
  for (const std::string& setting : command.set) schema.set(setting);
  config.data.paths = {"made up"};  // what a run needs and a measurement does not
  config.train.out = "nowhere";
  schema.check();
  const ModelConfig shape = model_config(config.model, vocab_of(command, config.tokenizer));
  const int64_t rows = command.rows > 0 ? command.rows : config.train.batch_rows;
  const int64_t context = command.context > 0 ? command.context : shape.context;
  return {
      .name = command.recipe,
      .model = make_model(shape, compute_dtype(command.dtype).value_or(best_compute_dtype()), 1),
      .optim = config.optim,
      .shape = {.rows = rows,
                .context = context,
                .rows_at_once = rows_per_piece(rows, context, config.train.micro_batch_tokens)}};
}

// A GGUF file's weights stay as they are, which is for running only.
bool trains(const BenchCommand& command) {
  const bool wanted = command.only.empty() || command.only == "training";
  return wanted && (command.model.empty() || !is_gguf_file(command.model));
}

Subject subject_of_folder(const BenchCommand& command) {
  std::optional<DType> compute = compute_dtype(command.dtype);
  if (!compute && trains(command)) compute = best_compute_dtype();
  LoadedModel loaded = load_model(command.model, compute);
  const int64_t usual = std::min<int64_t>(loaded.model->config().context, 512);
  return {.name = command.model,
          .model = std::move(loaded.model),
          .optim = {},
          .shape = {.rows = command.rows > 0 ? command.rows : 8,
                    .context = command.context > 0 ? command.context : usual}};
}

struct Measured {
  MachineSpeed machine;
  double ceiling = 0;  // of products in the model's dtype
  std::optional<TrainingSpeed> training;
  std::optional<PrefillSpeed> prefill;
  std::vector<DecodeSpeed> decode;
};

void measure_model(const BenchCommand& command, Subject& subject, Runner& runner,
                   Measured& measured) {
  const StopSignal stop;
  const SpeedOptions options{.seconds = command.seconds,
                             .cancelled = [] { return StopSignal::requested(); },
                             .cache = command.cache};
  const int64_t context = subject.model->config().context;
  const int64_t prompt = command.prompt > 0 ? command.prompt : std::min<int64_t>(context, 512);
  const auto wanted = [&](std::string_view part) {
    return command.only.empty() || command.only == part;
  };
  if (trains(command)) {  // first: its peak of memory is to be its own
    runner.console.note("measuring training steps");
    measured.training = measure_training(*subject.model, subject.shape, subject.optim, options);
  }
  if (wanted("prefill")) {
    runner.console.note("measuring the reading of prompts");
    measured.prefill = measure_prefill(*subject.model, prompt, command.past.value_or(0), options);
  }
  if (wanted("decode")) {
    runner.console.note("measuring the writing of answers");
    const int64_t past = command.past.value_or(std::min(prompt, context - 1));
    for (const int64_t sequences : command.sequences)
      measured.decode.push_back(measure_decode(*subject.model, sequences, past, options));
  }
}

Json json_of(const RoundTimes& times) {
  return Json{{"rounds", times.rounds},
              {"median_seconds", times.median_seconds},
              {"best_seconds", times.best_seconds}};
}

Json machine_json(const MachineSpeed& machine) {
  return Json{{"processor", machine.processor},
              {"instructions", machine.instructions},
              {"threads", machine.threads},
              {"memory_bytes", machine.memory_bytes},
              {"f32_flops_per_second", machine.f32_flops},
              {"bf16_flops_per_second", machine.bf16_flops},
              {"read_bytes_per_second", machine.read_bytes},
              {"triad_bytes_per_second", machine.triad_bytes}};
}

Json training_json(const TrainingSpeed& training, double ceiling) {
  Json json = json_of(training.steps);
  json.update(Json{{"rows", training.shape.rows},
                   {"context", training.shape.context},
                   {"rows_at_once", training.shape.rows_at_once},
                   {"tokens_per_second", training.tokens_per_second},
                   {"flops_per_second", training.flops},
                   {"utilisation", training.flops / ceiling},
                   {"peak_memory_bytes", training.memory_bytes}});
  return json;
}

Json prefill_json(const PrefillSpeed& prefill, double ceiling) {
  Json json = json_of(prefill.passes);
  json.update(Json{{"tokens", prefill.tokens},
                   {"tokens_per_second", prefill.tokens_per_second},
                   {"flops_per_second", prefill.flops},
                   {"utilisation", prefill.flops / ceiling}});
  return json;
}

Json decode_json(const DecodeSpeed& decode) {
  Json json = json_of(decode.passes);
  json.update(Json{{"sequences", decode.sequences},
                   {"past", decode.past},
                   {"tokens_per_second", decode.tokens_per_second},
                   {"read_bytes_per_second", decode.read_bytes}});
  return json;
}

Json model_json(const Subject& subject, const Measured& measured) {
  Json json;
  json["model"] = Json{{"name", subject.name},
                       {"family", subject.model->config().family},
                       {"parameters", subject.model->parameter_count()},
                       {"dtype", dtype_name(subject.model->dtype())}};
  if (measured.training) json["training"] = training_json(*measured.training, measured.ceiling);
  if (measured.prefill) json["prefill"] = prefill_json(*measured.prefill, measured.ceiling);
  for (const DecodeSpeed& decode : measured.decode) json["decode"].push_back(decode_json(decode));
  return json;
}

void row(std::string_view name, std::string_view value, const std::string& rest = "") {
  const std::string line = fmt::format("  {:<22} {:>14}  {}", name, value, rest);
  std::printf("%.*s\n", static_cast<int>(line.find_last_not_of(' ') + 1), line.c_str());
}

void print_machine(const MachineSpeed& machine) {
  std::printf("%s, %lld threads, %s of memory\n", machine.processor.c_str(),
              static_cast<long long>(machine.threads), human_bytes(machine.memory_bytes).c_str());
  row("products in f32", human_quantity(machine.f32_flops, "FLOP/s"));
  row("products in bf16",
      machine.bf16_flops > 0 ? human_quantity(machine.bf16_flops, "FLOP/s") : "-",
      machine.bf16_flops > 0 ? machine.instructions : "not in this processor");
  row("reading memory", human_quantity(machine.read_bytes, "B/s"));
  row("reading and writing", human_quantity(machine.triad_bytes, "B/s"));
}

std::string speed(double tokens_per_second) { return human_count(tokens_per_second) + " tok/s"; }

void print_model(const Subject& subject, const Measured& measured) {
  std::printf("\n%s: %s, %s weights, %s\n", subject.name.c_str(),
              subject.model->config().family.c_str(),
              human_count(static_cast<double>(subject.model->parameter_count())).c_str(),
              std::string(dtype_name(subject.model->dtype())).c_str());
  const auto share = [&](double flops) {
    return fmt::format("{}, {:.0f}% of the ceiling", human_quantity(flops, "FLOP/s"),
                       100 * flops / measured.ceiling);
  };
  if (const auto& training = measured.training)
    row("training", speed(training->tokens_per_second),
        fmt::format("{} a step of {} x {} tokens; {}; {}",
                    human_seconds(training->steps.median_seconds), training->shape.rows,
                    training->shape.context, share(training->flops),
                    human_bytes(training->memory_bytes)));
  if (const auto& prefill = measured.prefill)
    row("reading a prompt", speed(prefill->tokens_per_second),
        fmt::format("{} for {} tokens; {}", human_seconds(prefill->passes.median_seconds),
                    prefill->tokens, share(prefill->flops)));
  for (const DecodeSpeed& decode : measured.decode)
    row(decode.sequences == 1 ? "writing an answer"
                              : fmt::format("writing {} at once", decode.sequences),
        speed(decode.tokens_per_second),
        fmt::format("{} a token after {}; reads {}", human_seconds(decode.passes.median_seconds),
                    decode.past, human_quantity(decode.read_bytes, "B/s")));
}

void run(const BenchCommand& command, Runner& runner) {
  if (!command.recipe.empty() && !command.model.empty())
    throw UsageError("give a recipe or --model, not both");
  if (!command.set.empty() && command.recipe.empty())
    throw UsageError("--set changes a recipe: give one");
  Subject subject;
  if (!command.recipe.empty()) subject = subject_of_recipe(command);
  if (!command.model.empty()) subject = subject_of_folder(command);
  Measured measured;
  if (subject.model) measure_model(command, subject, runner, measured);
  runner.console.note("measuring the machine");
  measured.machine = measure_machine();
  const bool in_bf16 = subject.model && subject.model->dtype() == DType::bf16;
  measured.ceiling = in_bf16 && measured.machine.bf16_flops > 0 ? measured.machine.bf16_flops
                                                                : measured.machine.f32_flops;
  if (command.json) {
    Json json{{"machine", machine_json(measured.machine)}};
    if (subject.model) json.update(model_json(subject, measured));
    std::printf("%s\n", dump_json(json, 2).c_str());
    return;
  }
  print_machine(measured.machine);
  if (subject.model) print_model(subject, measured);
}

}  // namespace

void add_bench(CLI::App& app, Runner& runner) {
  auto command = std::make_shared<BenchCommand>();
  CLI::App* sub = app.add_subcommand("bench", "measure this machine, and a model on it");
  sub->footer(
      "Examples:\n"
      "  malssi bench\n"
      "  malssi bench recipes/shakespeare-char-baby.toml\n"
      "  malssi bench --model DIR --sequences 1,4,16 --json\n"
      "Tokens are made up: speeds do not depend on what they say. Times are medians; close other\n"
      "programs first.");
  sub->add_option("recipe", command->recipe, "a pretraining recipe: its model, batch, optimiser")
      ->type_name("RECIPE");
  sub->add_option("--model", command->model, "a model folder or GGUF file instead")
      ->type_name("MODEL");
  sub->add_option("--set", command->set, "change a setting of the recipe: key=value")
      ->type_name("KEY=VALUE");
  sub->add_option("--vocab", command->vocab,
                  "vocabulary of the recipe's model (default: its tokenizer's; char: 65)")
      ->check(CLI::Range(2, 10'000'000));
  sub->add_option("--dtype", command->dtype, "precision: auto, f32 or bf16")
      ->check(CLI::IsMember(kComputeDtypes))
      ->type_name("TYPE");
  sub->add_option("--rows", command->rows, "sequences of a training step")
      ->check(CLI::Range(1, 1'000'000));
  sub->add_option("--context", command->context, "tokens of a training sequence")
      ->check(CLI::Range(1, 10'000'000));
  sub->add_option("--prompt", command->prompt, "tokens of the prompt (default: at most 512)")
      ->check(CLI::Range(1, 10'000'000));
  sub->add_option(
         "--past", command->past,
         "tokens in the cache before (default: none for the prompt, the prompt for answers)")
      ->check(CLI::Range(0, 10'000'000));
  sub->add_option("--sequences", command->sequences, "answers written side by side")
      ->delimiter(',')
      ->check(CLI::Range(1, 4096))
      ->type_name("N,..");
  sub->add_option("--only", command->only, "measure one part of a model's work alone")
      ->check(CLI::IsMember({"training", "prefill", "decode"}))
      ->type_name("PART");
  add_cache_flag(*sub, command->cache,
                 "keep keys and values in a type of their own (default: as exact as the weights)");
  sub->add_option("--seconds", command->seconds, "for each measurement")
      ->check(CLI::Range(0.01, 3600.0));
  sub->add_flag("--json", command->json, "print JSON");
  sub->callback([command, &runner] { run(*command, runner); });
}

}  // namespace malssi
