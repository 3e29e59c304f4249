// malssi generate: goes on from a prompt, or answers it through the chat template.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <iostream>
#include <memory>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/signal.h"
#include "cli/commands.h"
#include "cli/generation_flags.h"
#include "cli/generation_output.h"
#include "cli/grammar_flags.h"
#include "cli/prompt_batch.h"
#include "cli/speculation_flags.h"
#include "infer/generate.h"
#include "infer/model_predictor.h"

namespace malssi {

namespace {

struct GenerateCommand {
  GenerationFlags flags;
  GrammarFlags grammar;
  SpeculationFlags speculation;
  std::optional<std::string> prompt;
  std::string prompt_file;
  std::string prompts;
  int64_t parallel = 4;
  std::string system;
  bool chat = false;
  bool parse_special = false;
  bool show_special = false;
  int64_t samples = 1;
  std::optional<int64_t> best_of;
  std::optional<int64_t> beams;
  int64_t n_best = 1;
  double length_penalty = 1.0;
  std::string early_stopping = "heuristic";
  bool json = false;
  bool timings = false;
  int64_t logprobs = 0;
};

// One final newline is not part of the prompt: every editor and `echo` ends a text with one.
std::string without_final_newline(std::string text) {
  if (text.ends_with('\n')) text.pop_back();
  if (text.ends_with('\r')) text.pop_back();
  return text;
}

std::string prompt_text(const GenerateCommand& command) {
  if (command.prompt) return *command.prompt;
  std::string file = command.prompt_file;
  if (file.empty() && ::isatty(STDIN_FILENO))
    throw UsageError("no prompt: give --prompt TEXT or --prompt-file FILE, or pipe text in");
  if (file.empty() || file == "-") file = "/dev/stdin";
  return without_final_newline(read_file(file, int64_t{1} << 26));
}

std::vector<int32_t> prompt_ids(const GenerateCommand& command, const LoadedModel& loaded,
                                const std::string& text) {
  if (!command.chat)
    return encode_prompt(*loaded.tokenizer, text,
                         {.parse_special = command.parse_special, .add_special = true});
  check_utf8(text, "the prompt");
  check_utf8(command.system, "--system");
  std::vector<Message> messages;
  if (!command.system.empty()) messages.push_back({.role = "system", .content = command.system});
  messages.push_back({.role = "user", .content = text});
  return encode_chat(*loaded.tokenizer, loaded.dialogue(), messages, true).ids;
}

void put(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

// What came out, ready to be shown.
struct Results {
  std::vector<Generation> generations = {};
  std::vector<double> scores = {};  // of beams, and of the best of many
  bool streamed = false;            // the first one is on standard output already
};

Results run_beams(const GenerateCommand& command, const LoadedModel& loaded,
                  const std::vector<int32_t>& prompt, const GenerateOptions& options,
                  int64_t capacity) {
  const BeamOptions beams{.beams = *command.beams,
                          .n_best = command.n_best,
                          .length_penalty = command.length_penalty,
                          .early_stopping = early_stopping_from(command.early_stopping)};
  check_beams(beams);
  ModelPredictor predictor(*loaded.model, beams.beams, capacity, command.flags.cache_type());
  Results results;
  for (BeamGeneration& found : generate_beams(predictor, *loaded.tokenizer, prompt, options, beams,
                                              StopSignal::requested)) {
    results.generations.push_back(std::move(found.generation));
    results.scores.push_back(found.score);
  }
  return results;
}

// Draws --samples answers, or the best of --best-of by their mean log-probability.
Results run_samples(const GenerateCommand& command, const LoadedModel& loaded,
                    const std::vector<int32_t>& prompt, GenerateOptions options, int64_t capacity) {
  const int64_t drawn = command.best_of.value_or(command.samples);
  if (command.best_of) options.logprobs = std::max<int64_t>(options.logprobs, 0);
  ModelPredictor predictor(*loaded.model, std::min<int64_t>(drawn, 16), capacity,
                           command.flags.cache_type());
  const std::vector<std::vector<int32_t>> prompts(static_cast<size_t>(drawn), prompt);
  Results results{.generations = generate_batch(predictor, *loaded.tokenizer, prompts, options,
                                                {.cancelled = StopSignal::requested})};
  if (!command.best_of) return results;
  std::vector<Generation>& all = results.generations;
  std::stable_sort(all.begin(), all.end(), [](const Generation& a, const Generation& b) {
    return mean_logprob(a) > mean_logprob(b);
  });
  all.resize(static_cast<size_t>(command.samples));
  for (const Generation& answer : all) results.scores.push_back(mean_logprob(answer));
  return results;
}

Results run_one(const GenerateCommand& command, const LoadedModel& loaded,
                const std::vector<int32_t>& prompt, const GenerateOptions& options,
                int64_t capacity, Runner& runner) {
  const Speculation speculation = command.speculation.make(loaded, capacity);
  ModelPredictor predictor(*loaded.model, 1, capacity, command.flags.cache_type());
  Generator generator(predictor, *loaded.tokenizer, speculation.drafter, speculation.draft_tokens);
  Results results{.streamed = !command.json};
  const GenerateHooks hooks{
      .on_text = results.streamed ? std::function<void(std::string_view)>(put) : nullptr,
      .cancelled = StopSignal::requested};
  results.generations.push_back(generator.run(prompt, options, hooks));
  if (results.streamed) put("\n");
  if (speculation.drafter) note_speculation(generator.statistics(), runner.console);
  if (command.timings) runner.console.note(dump_json(timings_json(generator.statistics())));
  return results;
}

Results run_model(const GenerateCommand& command, const LoadedModel& loaded,
                  const std::vector<int32_t>& prompt, const GenerateOptions& options,
                  Runner& runner) {
  const int64_t capacity =
      command.flags.context_of(loaded, static_cast<int64_t>(prompt.size()) + options.max_tokens);
  check_prompt(prompt, capacity);
  if (command.beams) return run_beams(command, loaded, prompt, options, capacity);
  if (command.samples > 1 || command.best_of)
    return run_samples(command, loaded, prompt, options, capacity);
  return run_one(command, loaded, prompt, options, capacity, runner);
}

void print_text(const Results& results) {
  if (results.streamed) return;
  const size_t count = results.generations.size();
  for (size_t i = 0; i < count; ++i) {
    if (count > 1) {
      std::string title = concat("--- ", i + 1, " of ", count);
      if (!results.scores.empty()) title += concat(", score ", results.scores[i]);
      put(title + "\n");
    }
    put(results.generations[i].text + "\n");
  }
}

void print_json(const GenerateCommand& command, const LoadedModel& loaded, const Results& results,
                const GenerateOptions& options, double seconds) {
  int64_t tokens = 0;
  Json list = Json::array();
  for (size_t i = 0; i < results.generations.size(); ++i) {
    Json json = generation_json(*loaded.tokenizer, results.generations[i]);
    if (!results.scores.empty()) json["score"] = results.scores[i];
    tokens += static_cast<int64_t>(results.generations[i].tokens.size());
    list.push_back(std::move(json));
  }
  const int64_t prompt = results.generations.empty() ? 0 : results.generations[0].prompt_tokens;
  Json json{{"model", command.flags.model()},
            {"prompt_tokens", prompt},
            {"seed", options.sampling.seed},
            {"generations", std::move(list)},
            {"seconds", seconds},
            {"tokens_per_second", static_cast<double>(tokens) / seconds}};
  put(dump_json(json, 2) + "\n");
}

void check_flags(const GenerateCommand& command) {
  const bool many = command.samples > 1 || command.best_of.has_value();
  if (command.beams && many)
    throw UsageError("--samples and --beams exclude each other: beams are not drawn at random");
  if (!command.beams && command.n_best > 1)
    throw UsageError("--n-best needs --beams (for several random answers: --samples)");
  if (command.beams && command.grammar.given())
    throw UsageError("--beams and a grammar exclude each other: leave out one of them");
  if (command.best_of && *command.best_of < command.samples)
    throw UsageError(concat("--best-of ", *command.best_of, " draws fewer answers than --samples ",
                            command.samples, " shows"));
  if (!command.system.empty() && !command.chat) throw UsageError("--system needs --chat");
  const bool batch = !command.prompts.empty();
  if (batch && (command.beams || many || command.prompt || !command.prompt_file.empty()))
    throw UsageError(
        "--prompts answers each prompt of its file once: leave out --prompt, "
        "--prompt-file, --samples, --best-of and --beams");
  if (command.timings && (batch || command.beams || many))
    throw UsageError(
        "--timings is for one answer: leave out --prompts, --samples, --best-of and --beams");
  if (command.speculation.given() && (batch || command.beams || many))
    throw UsageError(
        "--speculate is for one answer: leave out --prompts, --samples, --best-of and "
        "--beams");
}

void run_prompts(const GenerateCommand& command, const LoadedModel& loaded,
                 const GenerateOptions& options) {
  const PromptBatch batch =
      read_prompts(command.prompts, loaded.adapters,
                   [&](const std::string& text) { return prompt_ids(command, loaded, text); });
  size_t longest = 0;
  for (const auto& ids : batch.ids) longest = std::max(longest, ids.size());
  const int64_t wanted = static_cast<int64_t>(longest) + options.max_tokens;
  answer_prompts(loaded, batch,
                 {.generate = options,
                  .parallel = command.parallel,
                  .context = command.flags.context_of(loaded, wanted),
                  .cache = command.flags.cache_type(),
                  .cancelled = StopSignal::requested},
                 put);
}

void run_prompt(const GenerateCommand& command, const LoadedModel& loaded,
                const GenerateOptions& options, Runner& runner) {
  const std::vector<int32_t> prompt = prompt_ids(command, loaded, prompt_text(command));
  const auto start = std::chrono::steady_clock::now();
  const Results results = run_model(command, loaded, prompt, options, runner);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  if (command.json)
    print_json(command, loaded, results, options, seconds.count());
  else
    print_text(results);
  for (const Generation& generation : results.generations) {
    if (generation.reason == FinishReason::context_full)
      runner.console.warn("the answer ends where the model's context does");
    if (generation.reason == FinishReason::max_tokens && options.grammar)
      runner.console.warn("the answer is cut short, and incomplete: raise --max-tokens");
  }
}

// The prompt as a message to a model behind another server.
void run_remote(const GenerateCommand& command, const RemoteModel& remote, Runner& runner) {
  if (command.samples > 1 || command.best_of || command.beams || !command.prompts.empty() ||
      command.grammar.given() || command.speculation.given() || command.logprobs > 0)
    throw UsageError(concat("--model ", command.flags.model(),
                            " gives one answer in words: leave out --samples, --best-of, --beams, ",
                            "--prompts, --speculate, --logprobs and grammars"));
  std::vector<Message> messages;
  if (!command.system.empty()) messages.push_back({.role = "system", .content = command.system});
  messages.push_back({.role = "user", .content = prompt_text(command)});
  for (const Message& message : messages) check_utf8(message.content, "the prompt");
  const StopSignal stop;
  const std::function<void(std::string_view)> show = command.json ? nullptr : put;
  const RemoteAnswer answer =
      ask_remote(remote, messages, command.flags.remote_options(), show, StopSignal::requested);
  if (command.json) {
    const Json json{{"model", command.flags.model()},
                    {"prompt_tokens", answer.prompt_tokens},
                    {"answer_tokens", answer.answer_tokens},
                    {"text", answer.text},
                    {"finish_reason", answer.is_cut ? "max_tokens" : "stop"}};
    put(dump_json(json, 2));
  }
  put("\n");
  if (answer.is_cancelled) runner.exit_code = 130;
}

void run(GenerateCommand& command, Runner& runner) {
  if (const auto remote = remote_model(command.flags.model()))
    return run_remote(command, *remote, runner);
  check_flags(command);
  const LoadedModel loaded = command.flags.load();
  GenerateOptions options = command.flags.options(loaded, command.chat);
  options.logprobs = command.json ? command.logprobs : -1;
  options.show_special = command.show_special;
  options.place = command.chat ? Place::start : Place::inside;
  options.grammar = command.grammar.compiled(*loaded.tokenizer);
  const StopSignal stop;
  if (command.prompts.empty())
    run_prompt(command, loaded, options, runner);
  else
    run_prompts(command, loaded, options);
  if (StopSignal::requested()) runner.exit_code = 130;
}

}  // namespace

void add_generate(CLI::App& app, Runner& runner) {
  auto command = std::make_shared<GenerateCommand>();
  CLI::App* sub = app.add_subcommand("generate", "go on from a prompt");
  sub->footer(
      "Examples:\n"
      "  malssi generate --model runs/demo/model --chat --prompt \"Where does Mina live?\"\n"
      "  echo \"Once upon a time\" | malssi generate --model DIR --max-tokens 100 --seed 1\n"
      "  malssi generate --model DIR --prompt \"To be\" --beams 8 --n-best 3 --json\n"
      "  malssi generate --model DIR --chat --prompt \"Who?\" --json-schema schema.json\n"
      "  malssi generate --model DIR --prompts questions.jsonl --chat --parallel 8 > "
      "answers.jsonl\n"
      "  malssi generate --model DIR --prompt-file code.txt --speculate lookup\n"
      "  malssi generate --model DIR --prompt \"To be\" --lora adapter/ --lora style.gguf:0.5");
  command->flags.add_to(*sub);
  command->grammar.add_to(*sub);
  command->speculation.add_to(*sub);
  auto* prompt = sub->add_option("--prompt", command->prompt, "text to go on from");
  sub->add_option("--prompt-file", command->prompt_file,
                  "file with that text; - or no prompt at all: standard input")
      ->type_name("FILE")
      ->excludes(prompt);
  sub->add_option("--prompts", command->prompts,
                  "JSON Lines of prompts: {\"prompt\": \"...\"}, with --lora also \"lora\": "
                  "[weights]; prints a line of JSON for each")
      ->type_name("FILE");
  sub->add_option("--parallel", command->parallel, "with --prompts: so many at a time (default 4)")
      ->check(CLI::Range(int64_t{1}, int64_t{1024}));
  sub->add_flag("--chat", command->chat, "put the prompt as a message to the assistant");
  sub->add_option("--system", command->system, "with --chat: the system message before it");
  sub->add_flag("--parse-special", command->parse_special,
                "read special tokens like <|endoftext|> in the prompt as such");
  sub->add_flag("--show-special", command->show_special, "print special tokens of the answer");
  sub->add_option("--samples", command->samples, "answers to draw, with seeds seed, seed + 1, ...")
      ->check(CLI::Range(int64_t{1}, int64_t{10000}));
  sub->add_option("--best-of", command->best_of,
                  "draw so many, and print the --samples of highest mean log-probability")
      ->check(CLI::Range(int64_t{1}, int64_t{10000}));
  sub->add_flag("--timings", command->timings,
                "print on standard error, as JSON, how long reading and writing took");
  sub->add_flag("--json", command->json, "print JSON with every token's log-probability");
  sub->add_option("--logprobs", command->logprobs, "with --json: also the N likeliest tokens")
      ->check(CLI::Range(int64_t{0}, int64_t{1000}));
  const std::string group = "Beam search";
  sub->add_option("--beams", command->beams, "keep the N best answers at every token")
      ->group(group);
  sub->add_option("--n-best", command->n_best, "print the N best")->group(group);
  sub->add_option("--length-penalty", command->length_penalty,
                  "scores are divided by length^P: above 0 favours long answers")
      ->group(group);
  sub->add_option("--early-stopping", command->early_stopping, "heuristic, when-full or never")
      ->group(group);
  sub->callback([command, &runner] { run(*command, runner); });
}

}  // namespace malssi
