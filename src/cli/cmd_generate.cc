// malssi generate: goes on from a prompt, or answers it through the chat template.
#include <unistd.h>

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
#include "cli/grammar_flags.h"
#include "infer/generate.h"
#include "infer/model_predictor.h"

namespace malssi {

namespace {

struct GenerateCommand {
  GenerationFlags flags;
  GrammarFlags grammar;
  std::optional<std::string> prompt;
  std::string prompt_file;
  std::string system;
  bool chat = false;
  bool parse_special = false;
  bool show_special = false;
  int64_t samples = 1;
  std::optional<int64_t> beams;
  int64_t n_best = 1;
  double length_penalty = 1.0;
  std::string early_stopping = "heuristic";
  bool json = false;
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

std::vector<int32_t> prompt_ids(const GenerateCommand& command, const LoadedModel& loaded) {
  const std::string text = prompt_text(command);
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

// A token as JSON: its text (U+FFFD where it is only part of a character) and its very bytes.
Json token_json(const Tokenizer& tokenizer, int32_t id, double logprob) {
  const std::string_view bytes = tokenizer.token_bytes(id);
  Json list = Json::array();
  for (const char byte : bytes) list.push_back(static_cast<uint8_t>(byte));
  return Json{{"id", id}, {"text", std::string(bytes)}, {"bytes", list}, {"logprob", logprob}};
}

Json generation_json(const Tokenizer& tokenizer, const Generation& generation) {
  Json json{{"text", generation.text},
            {"finish_reason", std::string(finish_reason_name(generation.reason))}};
  if (!generation.stop_string.empty()) json["stop_string"] = generation.stop_string;
  double sum = 0;
  Json tokens = Json::array();
  for (const GeneratedToken& token : generation.tokens) {
    sum += token.logprob;
    Json entry = token_json(tokenizer, token.id, token.logprob);
    if (!token.top.empty()) {
      Json& top = entry["top"] = Json::array();
      for (const TokenLogprob& other : token.top)
        top.push_back(token_json(tokenizer, other.id, other.logprob));
    }
    tokens.push_back(std::move(entry));
  }
  json["logprob"] = sum;
  json["tokens"] = std::move(tokens);
  return json;
}

void put(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

// What came out, ready to be shown.
struct Results {
  std::vector<Generation> generations;
  std::vector<double> scores;  // beams only
  bool streamed = false;       // the first one is on standard output already
};

Results run_model(const GenerateCommand& command, const LoadedModel& loaded,
                  const std::vector<int32_t>& prompt, const GenerateOptions& options) {
  const auto cancelled = [] { return StopSignal::requested(); };
  const int64_t capacity =
      command.flags.context_of(loaded, static_cast<int64_t>(prompt.size()) + options.max_tokens);
  check_prompt(prompt, capacity);
  const Tokenizer& tokenizer = *loaded.tokenizer;
  Results results;
  if (command.beams) {
    const BeamOptions beams{.beams = *command.beams,
                            .n_best = command.n_best,
                            .length_penalty = command.length_penalty,
                            .early_stopping = early_stopping_from(command.early_stopping)};
    check_beams(beams);
    ModelPredictor predictor(*loaded.model, beams.beams, capacity);
    for (BeamGeneration& found :
         generate_beams(predictor, tokenizer, prompt, options, beams, cancelled)) {
      results.generations.push_back(std::move(found.generation));
      results.scores.push_back(found.score);
    }
  } else if (command.samples > 1) {
    ModelPredictor predictor(*loaded.model, std::min<int64_t>(command.samples, 16), capacity);
    const std::vector<std::vector<int32_t>> prompts(static_cast<size_t>(command.samples), prompt);
    results.generations =
        generate_batch(predictor, tokenizer, prompts, options, {.cancelled = cancelled});
  } else {
    ModelPredictor predictor(*loaded.model, 1, capacity);
    results.streamed = !command.json;
    const GenerateHooks hooks{
        .on_text = results.streamed ? std::function<void(std::string_view)>(put) : nullptr,
        .cancelled = cancelled};
    results.generations.push_back(Generator(predictor, tokenizer).run(prompt, options, hooks));
  }
  return results;
}

void print_text(const Results& results) {
  if (results.streamed) return put("\n");
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

void run(GenerateCommand& command, Runner& runner) {
  if (command.beams && command.samples > 1)
    throw UsageError("--samples and --beams exclude each other: beams are not drawn at random");
  if (!command.beams && command.n_best > 1)
    throw UsageError("--n-best needs --beams (for several random answers: --samples)");
  if (command.beams && command.grammar.given())
    throw UsageError("--beams and a grammar exclude each other: leave out one of them");
  if (!command.system.empty() && !command.chat) throw UsageError("--system needs --chat");
  const LoadedModel loaded = command.flags.load();
  GenerateOptions options = command.flags.options(loaded, command.chat);
  options.logprobs = command.json ? command.logprobs : -1;
  options.show_special = command.show_special;
  options.grammar = command.grammar.compiled(*loaded.tokenizer);
  const std::vector<int32_t> prompt = prompt_ids(command, loaded);

  const StopSignal stop;
  const auto start = std::chrono::steady_clock::now();
  const Results results = run_model(command, loaded, prompt, options);
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
      "  malssi generate --model DIR --chat --prompt \"Who?\" --json-schema schema.json");
  command->flags.add_to(*sub);
  command->grammar.add_to(*sub);
  auto* prompt = sub->add_option("--prompt", command->prompt, "text to go on from");
  sub->add_option("--prompt-file", command->prompt_file,
                  "file with that text; - or no prompt at all: standard input")
      ->type_name("FILE")
      ->excludes(prompt);
  sub->add_flag("--chat", command->chat, "put the prompt as a message to the assistant");
  sub->add_option("--system", command->system, "with --chat: the system message before it");
  sub->add_flag("--parse-special", command->parse_special,
                "read special tokens like <|endoftext|> in the prompt as such");
  sub->add_flag("--show-special", command->show_special, "print special tokens of the answer");
  sub->add_option("--samples", command->samples, "answers to draw, with seeds seed, seed + 1, ...")
      ->check(CLI::Range(int64_t{1}, int64_t{10000}));
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
