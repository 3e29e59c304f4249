// malssi eval: measures a model.
#include <chrono>
#include <cstdio>
#include <memory>

#include "base/error.h"
#include "base/format.h"
#include "base/json.h"
#include "base/signal.h"
#include "cli/cache_flag.h"
#include "cli/commands.h"
#include "cli/eval_behaviour.h"
#include "cli/eval_classify.h"
#include "cli/generation_flags.h"
#include "cli/lora_flags.h"
#include "data/corpus.h"
#include "eval/perplexity.h"
#include "io/model_folder.h"

namespace malssi {

namespace {

struct PerplexityCommand {
  std::string model;
  std::string dtype = "auto";
  CorpusOptions corpus;
  PerplexityOptions options;
  bool json = false;
  LoraFlags lora;
};

Json perplexity_json(const Likelihood& result, int64_t window, int64_t stride, double seconds) {
  return Json{{"perplexity", result.perplexity()},
              {"loss", result.loss()},
              {"word_perplexity", result.word_perplexity()},
              {"byte_perplexity", result.byte_perplexity()},
              {"bits_per_byte", result.bits_per_byte()},
              {"nll", result.nll},
              {"scored_tokens", result.scored},
              {"tokens", result.tokens},
              {"words", result.words},
              {"bytes", result.bytes},
              {"documents", result.documents},
              {"windows", result.windows},
              {"window", window},
              {"stride", stride},
              {"seconds", seconds}};
}

void print_table(const Likelihood& result, int64_t window, int64_t stride) {
  const auto row = [](const char* name, double value) {
    std::printf("%-18s %s\n", name, human_number(value).c_str());
  };
  row("perplexity", result.perplexity());
  row("loss (nats/token)", result.loss());
  row("word perplexity", result.word_perplexity());
  row("byte perplexity", result.byte_perplexity());
  row("bits per byte", result.bits_per_byte());
  std::printf("%-18s %lld of %lld tokens, %lld words, %lld bytes; window %lld, stride %lld\n",
              "scored", static_cast<long long>(result.scored),
              static_cast<long long>(result.tokens), static_cast<long long>(result.words),
              static_cast<long long>(result.bytes), static_cast<long long>(window),
              static_cast<long long>(stride));
}

void run(PerplexityCommand& command, Runner& runner) {
  const LoadedModel loaded = load_model(command.model, compute_dtype(command.dtype));
  PerplexityOptions& options = command.options;
  options.adapters = command.lora.attach(*loaded.model);
  if (options.window == 0) options.window = loaded.model->config().context;
  if (options.stride == 0) options.stride = options.window;

  const auto start = std::chrono::steady_clock::now();
  const StopSignal stop;
  Likelihood result;
  int64_t tokens = 0;
  options.cancelled = [] { return StopSignal::requested(); };
  options.on_progress = [&](int64_t more) {
    tokens += more;
    runner.console.progress({.done = tokens, .text = "tokens scored"});
  };
  for_each_document(command.corpus, [&](std::string_view document) {
    result += score_text(*loaded.model, *loaded.tokenizer, document, options);
  });
  runner.console.end_progress();
  REQUIRE(result.scored > 0, "the data has no token to score: each document needs at least 2");
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  if (command.json) {
    const Json json = perplexity_json(result, options.window, options.stride, seconds.count());
    std::printf("%s\n", dump_json(json, 2).c_str());
  } else {
    print_table(result, options.window, options.stride);
  }
}

void add_perplexity(CLI::App& eval, Runner& runner) {
  auto command = std::make_shared<PerplexityCommand>();
  CLI::App* sub = eval.add_subcommand("perplexity", "how well a model predicts a text");
  sub->footer(
      "Examples:\n"
      "  malssi eval perplexity --model DIR --data FILE\n"
      "  malssi eval perplexity --model DIR --data texts/ --stride 128 --json\n"
      "Each window's first token is not scored; with a stride smaller than the window, tokens are\n"
      "scored once and with more before them, which is slower and gives lower figures.");
  sub->add_option("--model", command->model, "model folder")->required()->type_name("DIR");
  command->lora.add_to(*sub);
  sub->add_option("--data", command->corpus.paths, "text files, JSON Lines, or folders of them")
      ->required()
      ->type_name("FILE");
  sub->add_option("--field", command->corpus.field, "JSON: the key of the text");
  sub->add_option("--window", command->options.window,
                  "tokens at once (default: the model's context)")
      ->check(CLI::PositiveNumber);
  sub->add_option("--stride", command->options.stride,
                  "tokens between windows (default: the window)")
      ->check(CLI::PositiveNumber);
  sub->add_flag("--begin-text", command->options.begin_text,
                "put the begin-of-text token before each document");
  sub->add_option("--dtype", command->dtype, "precision: auto, f32 or bf16")
      ->check(CLI::IsMember(kComputeDtypes))
      ->type_name("TYPE");
  add_cache_flag(*sub, command->options.cache,
                 "as with answers whose keys and values are kept in a type of their own");
  sub->add_flag("--json", command->json, "print JSON");
  sub->callback([command, &runner] { run(*command, runner); });
}

}  // namespace

void add_eval(CLI::App& app, Runner& runner) {
  CLI::App* eval = app.add_subcommand("eval", "measure a model");
  eval->footer("Example: malssi eval perplexity --model DIR --data FILE");
  eval->require_subcommand(1);
  add_perplexity(*eval, runner);
  add_eval_classify(*eval, runner);
  add_eval_behaviour(*eval, runner);
}

}  // namespace malssi
