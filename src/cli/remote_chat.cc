#include "cli/remote_chat.h"

#include <unistd.h>

#include <cstdio>
#include <vector>

#include "base/error.h"
#include "cli/terminal.h"
#include "infer/generate.h"

namespace malssi {
namespace {

void put(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

class RemoteChat {
 public:
  RemoteChat(const RemoteModel& model, const RemoteOptions& options, std::string system,
             Console& console)
      : model_(model), options_(options), system_(std::move(system)), console_(console) {
    if (is_terminal_)
      console_.note(concat(model.name, " at ", model.base_url,
                           ". /reset starts over, /undo takes the last question back, /quit or "
                           "Ctrl-D leaves, Ctrl-C stops an answer."));
  }

  void run() {
    std::string line;
    while (next(line) && line != "/quit" && line != "/exit") {
      try {
        take(line);
      } catch (const Error& error) {
        if (!is_terminal_) throw;
        console_.warn(error.what());
      }
    }
  }

 private:
  bool next(std::string& line) {
    while (true) {
      Interrupt::clear();
      if (is_terminal_) put("\n> ");
      const LineEnd end = lines_.next(line);
      if (end == LineEnd::newline) return true;
      if (is_terminal_) put("\n");
      if (end == LineEnd::end_of_input) return false;
      console_.note("(Ctrl-D or /quit leaves)");
    }
  }

  void take(const std::string& line) {
    if (line == "/reset") {
      turns_.clear();
      console_.note("(the conversation starts over)");
    } else if (line == "/undo") {
      REQUIRE(turns_.size() >= 2, "nothing to take back");
      turns_.resize(turns_.size() - 2);
      console_.note("(the last question is taken back)");
    } else if (line.starts_with('/') && !line.starts_with("//")) {
      throw Error(concat("unknown command ", line,
                         " (known: /reset, /undo, /quit; // begins a message with /)"));
    } else if (!line.empty()) {
      ask(line.starts_with("//") ? line.substr(1) : line);
    }
  }

  void ask(const std::string& text) {
    check_utf8(text, "the message");
    std::vector<Message> messages;
    if (!system_.empty()) messages.push_back({.role = "system", .content = system_});
    messages.insert(messages.end(), turns_.begin(), turns_.end());
    messages.push_back({.role = "user", .content = text});
    const RemoteAnswer answer = ask_remote(model_, messages, options_, put, Interrupt::requested);
    put("\n");
    if (answer.is_cancelled) console_.note("(stopped)");
    if (answer.is_cut) console_.note("(stopped at --max-tokens; more can be allowed)");
    if (answer.text.empty()) return;
    turns_.push_back({.role = "user", .content = text});
    turns_.push_back({.role = "assistant", .content = answer.text});
  }

  const RemoteModel& model_;
  const RemoteOptions& options_;
  std::string system_;
  Console& console_;
  bool is_terminal_ = ::isatty(STDIN_FILENO) && ::isatty(STDOUT_FILENO);
  std::vector<Message> turns_;
  Interrupt interrupt_;
  LineReader lines_{STDIN_FILENO};
};

}  // namespace

void run_remote_chat(const RemoteModel& model, const RemoteOptions& options,
                     const std::string& system, Console& console) {
  RemoteChat(model, options, system, console).run();
}

}  // namespace malssi
