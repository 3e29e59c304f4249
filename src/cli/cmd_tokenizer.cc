// malssi tokenizer: trains tokenizers, and shows what they make of a text.
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <memory>

#include "base/error.h"
#include "base/format.h"
#include "base/json.h"
#include "cli/commands.h"
#include "data/corpus.h"
#include "text/bpe_trainer.h"
#include "text/chat_template.h"
#include "text/splitter.h"
#include "text/tokenizer.h"
#include "text/utf8.h"

namespace malssi {
namespace {

constexpr int64_t kMeasuredBytes = int64_t{8} << 20;  // of training text, for bytes per token

using Clock = std::chrono::steady_clock;

// Processor time of this thread: what other work on the machine does not change.
double thread_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// What a tokenizer makes of a corpus.
struct Measured {
  int64_t bytes = 0, characters = 0, tokens = 0;
  double seconds = 0;

  void add(const Tokenizer& tokenizer, std::string_view text, std::vector<int32_t>& ids) {
    ids.clear();
    const double start = thread_seconds();
    tokenizer.encode(text, {}, ids);
    seconds += thread_seconds() - start;
    bytes += static_cast<int64_t>(text.size());
    characters += std::count_if(text.begin(), text.end(),
                                [](char c) { return (static_cast<uint8_t>(c) & 0xC0) != 0x80; });
    tokens += static_cast<int64_t>(ids.size());
  }
  double per_token(int64_t amount) const {
    return tokens > 0 ? static_cast<double>(amount) / static_cast<double>(tokens) : 0;
  }
  Json json() const {
    return {{"bytes", bytes},
            {"characters", characters},
            {"tokens", tokens},
            {"bytes_per_token", per_token(bytes)},
            {"characters_per_token", per_token(characters)},
            {"megabytes_per_second", seconds > 0 ? static_cast<double>(bytes) / seconds / 1e6 : 0}};
  }
};

// Stops the reading of a corpus.
struct Enough {};

Measured measure(const Tokenizer& tokenizer, const CorpusOptions& corpus, int64_t most_bytes) {
  Measured measured;
  std::vector<int32_t> ids;
  try {
    for_each_document(corpus, [&](std::string_view document) {
      const int64_t left = most_bytes - measured.bytes;
      if (left < 4) throw Enough();
      document = document.substr(0, static_cast<size_t>(left));
      measured.add(tokenizer,
                   document.substr(0, static_cast<size_t>(complete_utf8_prefix(document))), ids);
    });
  } catch (const Enough&) {
  }
  return measured;
}

Json describe(const Tokenizer& tokenizer) {
  Json special = Json::object();
  for (const AddedToken& token : tokenizer.added_tokens()) special[token.text] = token.id;
  return {{"kind", tokenizer.kind()},
          {"vocab_size", tokenizer.vocab_size()},
          {"merges", tokenizer.merge_count()},
          {"pattern", tokenizer.pattern()},
          {"special_tokens", std::move(special)},
          {"bos_id", tokenizer.bos_id()},
          {"eos_id", tokenizer.eos_id()},
          {"pad_id", tokenizer.pad_id()}};
}

void print_row(std::string_view label, std::string_view value) {
  std::printf("%-16.*s %.*s\n", static_cast<int>(label.size()), label.data(),
              static_cast<int>(value.size()), value.data());
}

void print_description(const Json& json) {
  print_row("kind", json["kind"].get<std::string>());
  print_row("vocabulary", concat(json["vocab_size"].get<int64_t>(), " tokens, ",
                                 json["merges"].get<int64_t>(), " merges"));
  if (json["pattern"] != "") print_row("split pattern", json["pattern"].get<std::string>());
  for (const auto& [text, id] : json["special_tokens"].items())
    print_row("special token", concat(id.get<int64_t>(), "  ", repair_utf8(text)));
  if (!json.contains("measured")) return;
  const Json& measured = json["measured"];
  print_row(
      "on the text",
      concat(human_number(measured["bytes_per_token"].get<double>()), " bytes and ",
             human_number(measured["characters_per_token"].get<double>()), " characters a token (",
             human_count(measured["tokens"].get<double>()), " tokens), ",
             human_number(measured["megabytes_per_second"].get<double>()), " MB/s"));
}

void print_json(const Json& json) { std::printf("%s\n", dump_json(json, 2).c_str()); }

// ---- train

struct TrainCommand {
  CorpusOptions corpus;
  std::string type = "bpe", out, chat = ChatTemplate().style();
  BpeTrainOptions bpe;
  bool byte_fallback = false, no_special = false, json = false;
};

std::unique_ptr<Tokenizer> train(const TrainCommand& command, Runner& runner) {
  const TextSource source = [&](const auto& take) { for_each_document(command.corpus, take); };
  if (command.type == "byte") return make_byte_tokenizer(command.bpe.special);
  if (command.corpus.paths.empty())
    throw UsageError("tokenizer train: --data is needed to train a " + command.type + " tokenizer");
  if (command.type == "char")
    return make_char_tokenizer(
        source, {.byte_fallback = command.byte_fallback, .special = command.bpe.special});
  const auto progress = [&runner](std::string_view stage, int64_t done, int64_t total) {
    runner.console.progress({.done = done, .total = total, .text = std::string(stage)});
  };
  auto tokenizer = train_bpe(source, command.bpe, progress);
  runner.console.end_progress();
  if (tokenizer->vocab_size() < command.bpe.vocab_size)
    runner.console.note(concat("the text has no more pairs to merge: the vocabulary has ",
                               tokenizer->vocab_size(), " tokens, not ", command.bpe.vocab_size));
  return tokenizer;
}

// A .json file, or a folder with tokenizer.json and tokenizer_config.json.
fs::path save(const Tokenizer& tokenizer, const ChatTemplate& chat, const fs::path& out) {
  const std::string text = dump_json(tokenizer.to_json(), 2) + "\n";
  if (out.extension() == ".json") {
    write_file(out, text);
    return out;
  }
  const std::vector<std::string> needed = chat.special_tokens();
  const bool chats = std::all_of(needed.begin(), needed.end(), [&](const std::string& token) {
    return tokenizer.token_id(token).has_value();
  });
  std::error_code failed;
  fs::create_directories(out, failed);
  REQUIRE(!failed, out.string(), ": cannot be created: ", failed.message());
  write_file(out / "tokenizer_config.json",
             dump_json(tokenizer_config(tokenizer, chats ? chat.jinja() : ""), 2) + "\n");
  write_file(out / "tokenizer.json", text);
  return out / "tokenizer.json";
}

void run_train(TrainCommand& command, Runner& runner) {
  if (command.no_special)
    command.bpe.special.clear();
  else if (command.bpe.special.empty())
    command.bpe.special = default_special_tokens(ChatTemplate::named(command.chat));
  const auto start = Clock::now();
  const std::unique_ptr<Tokenizer> tokenizer = train(command, runner);
  const double seconds = seconds_since(start);
  const fs::path saved = save(*tokenizer, ChatTemplate::named(command.chat), command.out);
  Json result = describe(*tokenizer);
  if (!command.corpus.paths.empty())
    result["measured"] = measure(*tokenizer, command.corpus, kMeasuredBytes).json();
  result["seconds"] = seconds;
  result["path"] = saved.string();
  if (command.json) return print_json(result);
  print_description(result);
  print_row("trained in", human_seconds(seconds));
  print_row("saved as", saved.string());
}

void add_train(CLI::App& tokenizer, Runner& runner) {
  auto command = std::make_shared<TrainCommand>();
  CLI::App* sub = tokenizer.add_subcommand("train", "learn a vocabulary from text");
  sub->footer(
      "Examples:\n"
      "  malssi tokenizer train --data corpus/ --out tokenizer/ --vocab-size 16000\n"
      "  malssi tokenizer train --data en.txt ko.jsonl --pattern gpt2 --special '<|endoftext|>' "
      "--out tokenizer.json\n"
      "  malssi tokenizer train --data shakespeare.txt --type char --no-special --out chars/\n"
      "  malssi tokenizer train --type byte --out bytes/");
  sub->add_option("--data", command->corpus.paths, "text files, JSON Lines files or folders")
      ->type_name("PATH");
  sub->add_option("--field", command->corpus.field, "JSON: the key of the text")
      ->capture_default_str();
  sub->add_option("--out", command->out,
                  "where to write: a .json file, or a folder for it and its tokenizer_config.json")
      ->required()
      ->type_name("PATH");
  sub->add_option("--type", command->type, "what a token is")
      ->check(CLI::IsMember({"bpe", "char", "byte"}))
      ->capture_default_str();
  sub->add_option("--vocab-size", command->bpe.vocab_size, "bpe: tokens, special ones included")
      ->capture_default_str();
  sub->add_option("--pattern", command->bpe.pattern,
                  "bpe: how text splits into words: gpt2, llama3, qwen2 or a regular expression")
      ->capture_default_str();
  sub->add_option("--min-frequency", command->bpe.min_frequency, "bpe: rarer pairs are not merged")
      ->capture_default_str();
  sub->add_option("--chat-template", command->chat, "the style of dialogues to make ready for")
      ->check(CLI::IsMember(ChatTemplate::styles()))
      ->capture_default_str();
  sub->add_option(
         "--special", command->bpe.special,
         "special tokens, in order (default: <|endoftext|> and those of the chat template)")
      ->type_name("TOKEN");
  sub->add_flag("--no-special", command->no_special, "no special tokens");
  sub->add_flag("--byte-fallback", command->byte_fallback,
                "char: 256 more tokens, for characters not seen in training");
  sub->add_flag("--json", command->json, "print JSON");
  sub->callback([command, &runner] { run_train(*command, runner); });
}

// ---- encode, decode

struct TextCommand {
  std::string tokenizer, file;
  std::vector<std::string> words;
  bool special = false, tokens = false, json = false;
};

std::string input_of(const TextCommand& command) {
  if (!command.file.empty() && !command.words.empty())
    throw UsageError("tokenizer: both --file and an argument give the input; use one of them");
  if (!command.file.empty()) return read_file(command.file);
  if (command.words.empty()) return read_file("/dev/stdin");
  std::string text;
  for (const std::string& word : command.words) text += (text.empty() ? "" : " ") + word;
  return text;
}

void run_encode(const TextCommand& command) {
  const auto tokenizer = load_tokenizer(command.tokenizer);
  const std::string text = input_of(command);
  const std::vector<int32_t> ids = tokenizer->encode(text, {.parse_special = command.special});
  if (command.json) {
    Json tokens = Json::array();
    for (const int32_t id : ids) tokens.push_back(std::string(tokenizer->token_bytes(id)));
    const Json result = {{"ids", ids}, {"tokens", std::move(tokens)}, {"bytes", text.size()}};
    std::printf("%s\n", dump_json(result).c_str());
    return;
  }
  if (command.tokens) {
    for (const int32_t id : ids)
      std::printf("%d\t%s\n", id, dump_json(std::string(tokenizer->token_bytes(id))).c_str());
    return;
  }
  std::string line;
  for (const int32_t id : ids) line += (line.empty() ? "" : " ") + std::to_string(id);
  std::printf("%s\n", line.c_str());
}

// Numbers between spaces, commas and brackets.
std::vector<int32_t> read_ids(std::string_view text) {
  constexpr std::string_view kBetween = " \t\r\n,[]";
  std::vector<int32_t> ids;
  for (size_t at = text.find_first_not_of(kBetween); at != text.npos;
       at = text.find_first_not_of(kBetween, at)) {
    const size_t end = std::min(text.find_first_of(kBetween, at), text.size());
    int32_t id = -1;
    const auto [stop, problem] = std::from_chars(text.data() + at, text.data() + end, id);
    REQUIRE(problem == std::errc() && stop == text.data() + end, "tokenizer decode: '",
            repair_utf8(text.substr(at, std::min<size_t>(end - at, 40))),
            "' is not a token id; expected numbers");
    ids.push_back(id);
    at = end;
  }
  return ids;
}

void run_decode(const TextCommand& command) {
  const auto tokenizer = load_tokenizer(command.tokenizer);
  const std::vector<int32_t> ids = read_ids(input_of(command));
  const std::string text = tokenizer->decode(ids, {.skip_special = command.special});
  if (command.json)
    return print_json({{"text", text}, {"tokens", ids.size()}, {"bytes", text.size()}});
  std::fwrite(text.data(), 1, text.size(), stdout);
  if (::isatty(STDOUT_FILENO) && !text.ends_with('\n')) std::printf("\n");
}

std::shared_ptr<TextCommand> add_text_command(CLI::App* sub, const char* what, const char* name) {
  auto command = std::make_shared<TextCommand>();
  sub->add_option("tokenizer", command->tokenizer, "a tokenizer file, or a folder with one")
      ->required()
      ->type_name("PATH");
  sub->add_option("input", command->words, what)->type_name(name);
  sub->add_option("--file", command->file, "take the input from a file")->type_name("PATH");
  sub->add_flag("--json", command->json, "print JSON");
  return command;
}

void add_encode(CLI::App& tokenizer) {
  CLI::App* sub = tokenizer.add_subcommand("encode", "text to token ids");
  sub->footer(
      "Examples:\n"
      "  malssi tokenizer encode tokenizer/ 'The seed of language' --tokens\n"
      "  malssi tokenizer encode model/ --file story.txt --json\n"
      "  cat story.txt | malssi tokenizer encode model/ | malssi tokenizer decode model/");
  const auto command = add_text_command(sub, "the text (default: standard input)", "TEXT");
  sub->add_flag("--special", command->special, "read special tokens that are written in the text");
  sub->add_flag("--tokens", command->tokens, "one token a line, with its text");
  sub->callback([command] { run_encode(*command); });
}

void add_decode(CLI::App& tokenizer) {
  CLI::App* sub = tokenizer.add_subcommand("decode", "token ids to text");
  sub->footer(
      "Examples:\n"
      "  malssi tokenizer decode tokenizer/ 464 9403 286 3303\n"
      "  malssi tokenizer decode tokenizer/ --file ids.txt --skip-special");
  const auto command = add_text_command(sub, "token ids (default: standard input)", "ID");
  sub->add_flag("--skip-special", command->special, "leave special tokens out");
  sub->callback([command] { run_decode(*command); });
}

// ---- info

struct InfoCommand {
  std::string tokenizer;
  CorpusOptions corpus;
  bool json = false;
};

void run_info(const InfoCommand& command) {
  const auto tokenizer = load_tokenizer(command.tokenizer);
  Json result = describe(*tokenizer);
  if (!command.corpus.paths.empty())
    result["measured"] = measure(*tokenizer, command.corpus, INT64_MAX).json();
  command.json ? print_json(result) : print_description(result);
}

void add_info(CLI::App& tokenizer) {
  auto command = std::make_shared<InfoCommand>();
  CLI::App* sub =
      tokenizer.add_subcommand("info", "what a tokenizer is, and how it does on a text");
  sub->footer(
      "Examples:\n"
      "  malssi tokenizer info runs/demo/model\n"
      "  malssi tokenizer info tokenizer.json --data korean.txt english.txt --json");
  sub->add_option("tokenizer", command->tokenizer, "a tokenizer file, or a folder with one")
      ->required()
      ->type_name("PATH");
  sub->add_option("--data", command->corpus.paths, "text to measure it on")->type_name("PATH");
  sub->add_option("--field", command->corpus.field, "JSON: the key of the text")
      ->capture_default_str();
  sub->add_flag("--json", command->json, "print JSON");
  sub->callback([command] { run_info(*command); });
}

}  // namespace

void add_tokenizer(CLI::App& app, Runner& runner) {
  CLI::App* sub = app.add_subcommand("tokenizer", "train, try and measure tokenizers");
  sub->require_subcommand(1);
  add_train(*sub, runner);
  add_encode(*sub);
  add_decode(*sub);
  add_info(*sub);
}

}  // namespace malssi
