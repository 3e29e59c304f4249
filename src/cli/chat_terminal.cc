#include "cli/chat_terminal.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <functional>
#include <sstream>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/format.h"
#include "base/nearest.h"
#include "cli/terminal.h"
#include "infer/chat_session.h"
#include "infer/generate.h"
#include "infer/model_predictor.h"

namespace malssi {

namespace {

constexpr std::string_view kHelp =
    "/reset          forget the conversation\n"
    "/system TEXT    set the system message (without TEXT: show it; /system none removes it)\n"
    "/undo           take back the last question and its answer\n"
    "/retry          answer the last question again\n"
    "/lora W ...     weights of the adapters of --lora, in their order (without W: show them)\n"
    "/save FILE      write the conversation as one line of JSON, as `malssi tune sft` reads it\n"
    "/help           this list\n"
    "/quit           leave (so does Ctrl-D)\n"
    "A line that ends with \\ goes on in the next. A message that begins with / is written //.\n"
    "Ctrl-C stops an answer.\n";

void put(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

class ChatTerminal {
 public:
  ChatTerminal(const LoadedModel& loaded, ChatTerminalOptions options, Console& console)
      : console_(console),
        options_(std::move(options)),
        is_terminal_(::isatty(STDIN_FILENO) && ::isatty(STDOUT_FILENO)),
        predictor_(*loaded.model, 1, options_.context, options_.cache),
        generator_(predictor_, *loaded.tokenizer, options_.speculation.drafter,
                   options_.speculation.draft_tokens),
        session_(*loaded.tokenizer, loaded.dialogue(), predictor_.capacity(),
                 options_.generate.max_tokens) {
    session_.set_system(options_.system);
    if (is_terminal_)
      console_.note(concat(human_count(static_cast<double>(loaded.model->parameter_count())),
                           " parameters, context ", predictor_.capacity(),
                           " tokens. /help lists commands, Ctrl-D leaves."));
  }

  void run() {
    std::string line;
    while (read_message(line)) {
      try {
        if (line.starts_with("//"))
          ask(line.substr(1));
        else if (line.starts_with('/'))
          command(line);
        else if (!line.empty())
          ask(line);
      } catch (const Error& error) {
        if (!is_terminal_) throw;
        console_.warn(error.what());
      }
      if (quit_) break;
    }
    if (options_.speculation.drafter) note_speculation(generator_.statistics(), console_);
  }

 private:
  // One message of one or more lines; false at the end of input.
  bool read_message(std::string& message) {
    message.clear();
    std::string line;
    while (true) {
      Interrupt::clear();
      if (is_terminal_) put(message.empty() ? "\n> " : ". ");
      switch (lines_.next(line)) {
        case LineEnd::end_of_input:
          if (is_terminal_) put("\n");
          return !message.empty();
        case LineEnd::interrupted:
          message.clear();
          if (is_terminal_) put("\n");
          console_.note("(Ctrl-D or /quit leaves)");
          continue;
        case LineEnd::newline:
          break;
      }
      if (!line.ends_with('\\')) {
        message += line;
        return true;
      }
      line.back() = '\n';
      message += line;
    }
  }

  void ask(const std::string& text) {
    const ChatSession::Prompt prompt = session_.ask(text);
    if (prompt.forgotten > 0)
      console_.note(concat("(the context is full: the oldest ", prompt.forgotten,
                           " messages are forgotten)"));
    Generation generation;
    try {
      generation = generator_.run(prompt.ids, options_.generate,
                                  {.on_text = put, .cancelled = Interrupt::requested});
    } catch (...) {
      session_.answer("");
      throw;
    }
    put("\n");
    session_.answer(generation.text);
    // Another draw for the same question must be another one.
    ++options_.generate.sampling.seed;
    if (generation.reason == FinishReason::cancelled)
      console_.note("(stopped)");
    else if (generation.text.empty())
      console_.note("(the answer was empty; it does not count)");
    if (generation.reason == FinishReason::max_tokens)
      console_.note("(stopped at --max-tokens; more can be allowed)");
    if (generation.reason == FinishReason::context_full)
      console_.note("(stopped: the context is full)");
  }

  void command(const std::string& line) {
    const size_t space = std::min(line.find(' '), line.size());
    const std::string name = line.substr(0, space);
    const size_t start = line.find_first_not_of(' ', space);
    const std::string rest = start == std::string::npos ? "" : line.substr(start);
    const auto known = std::find_if(commands_.begin(), commands_.end(),
                                    [&](const Command& c) { return c.name == name; });
    if (known == commands_.end()) {
      std::vector<std::string> names;
      for (const Command& c : commands_) names.emplace_back(c.name);
      throw Error(concat("unknown command ", name, did_you_mean(name, names),
                         " (/help lists them; // begins a message with /)"));
    }
    (this->*known->run)(rest);
  }

  void reset(const std::string&) {
    session_.reset();
    console_.note("(the conversation starts over)");
  }

  void system(const std::string& text) {
    check_utf8(text, "the message");
    if (text.empty()) {
      put((session_.system().empty() ? "(no system message)" : session_.system()) + "\n");
      return;
    }
    session_.set_system(text == "none" ? "" : text);
    console_.note(text == "none" ? "(no system message from now on)"
                                 : "(system message set; /reset starts over with it)");
  }

  void undo(const std::string&) {
    console_.note(session_.undo() ? "(the last question is taken back)" : "(nothing to take back)");
  }

  void retry(const std::string&) {
    const std::vector<Message> messages = session_.messages();
    REQUIRE(!session_.empty() && messages.size() >= 2, "nothing to answer again");
    const std::string question = messages[messages.size() - 2].content;
    session_.undo();
    ask(question);
  }

  void lora(const std::string& text) {
    AdapterMix mix = options_.generate.adapters;
    REQUIRE(!mix.empty(), "there are no adapters: name some with --lora at the start");
    std::istringstream words(text);
    for (size_t i = 0; !text.empty() && i < mix.size(); ++i)
      REQUIRE(words >> mix[i].weight, "/lora needs ", mix.size(), " weights, one for each --lora");
    REQUIRE(text.empty() || (words >> std::ws).eof(), "/lora needs only ", mix.size(), " weights");
    options_.generate.adapters = mix;
    std::string shown;
    for (const AdapterUse& use : mix) shown += concat(" ", use.weight);
    console_.note(concat("(weights of the adapters:", shown, ")"));
  }

  void save(const std::string& file) {
    REQUIRE(!file.empty(), "/save needs the name of a file");
    REQUIRE(!session_.empty(), "nothing was said yet: there is nothing to save");
    const bool ours = std::find(saved_.begin(), saved_.end(), file) != saved_.end();
    REQUIRE(ours || !fs::exists(file), file, " exists already: choose another name");
    write_file(file, session_.to_json_line());
    if (!ours) saved_.push_back(file);
    console_.note(concat("(saved to ", file, ")"));
  }

  void help(const std::string&) { put(kHelp); }
  void quit(const std::string&) { quit_ = true; }

  struct Command {
    std::string_view name;
    void (ChatTerminal::*run)(const std::string& rest);
  };

  Console& console_;
  ChatTerminalOptions options_;
  bool is_terminal_;
  ModelPredictor predictor_;
  Generator generator_;
  ChatSession session_;
  Interrupt interrupt_;
  LineReader lines_{STDIN_FILENO};
  std::vector<std::string> saved_;  // files that this conversation may replace
  bool quit_ = false;
  const std::vector<Command> commands_ = {
      {"/reset", &ChatTerminal::reset}, {"/system", &ChatTerminal::system},
      {"/undo", &ChatTerminal::undo},   {"/retry", &ChatTerminal::retry},
      {"/lora", &ChatTerminal::lora},   {"/save", &ChatTerminal::save},
      {"/help", &ChatTerminal::help},   {"/quit", &ChatTerminal::quit},
      {"/exit", &ChatTerminal::quit}};
};

}  // namespace

void run_chat(const LoadedModel& loaded, ChatTerminalOptions options, Console& console) {
  ChatTerminal(loaded, std::move(options), console).run();
}

}  // namespace malssi
