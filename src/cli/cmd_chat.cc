// malssi chat: a conversation with a model in the terminal.
#include <memory>

#include "cli/chat_terminal.h"
#include "cli/commands.h"
#include "cli/generation_flags.h"
#include "infer/generate.h"

namespace malssi {

void add_chat(CLI::App& app, Runner& runner) {
  struct ChatCommand {
    GenerationFlags flags;
    std::string system;
  };
  auto command = std::make_shared<ChatCommand>();
  CLI::App* sub = app.add_subcommand("chat", "talk to a model in the terminal");
  sub->footer(
      "Examples:\n"
      "  malssi chat --model runs/demo/model\n"
      "  malssi chat --model DIR --system \"Answer in Korean.\" --temperature 0.7\n"
      "  echo \"Who owns the red boat?\" | malssi chat --model DIR --greedy");
  command->flags.add_to(*sub);
  sub->add_option("--system", command->system, "system message that leads the conversation");
  sub->callback([command, &runner] {
    const LoadedModel loaded = command->flags.load();
    check_utf8(command->system, "--system");
    // A long context is remembered as far as memory reasonably goes, unless --context says otherwise.
    constexpr int64_t kUsualContext = 8192;
    const ChatTerminalOptions options{.generate = command->flags.options(loaded, true),
                              .system = command->system,
                              .context = command->flags.context_of(loaded, kUsualContext)};
    run_chat(loaded, options, runner.console);
  });
}

}  // namespace malssi
