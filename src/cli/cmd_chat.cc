// malssi chat: a conversation with a model in the terminal.
#include <memory>

#include "cli/chat_terminal.h"
#include "cli/commands.h"
#include "cli/generation_flags.h"
#include "cli/remote_chat.h"
#include "cli/speculation_flags.h"
#include "infer/generate.h"

namespace malssi {

void add_chat(CLI::App& app, Runner& runner) {
  struct ChatCommand {
    GenerationFlags flags;
    SpeculationFlags speculation;
    std::string system;
  };
  auto command = std::make_shared<ChatCommand>();
  CLI::App* sub = app.add_subcommand("chat", "talk to a model in the terminal");
  sub->footer(
      "Examples:\n"
      "  malssi chat --model runs/demo/model\n"
      "  malssi chat --model DIR --lora adapter/\n"
      "  malssi chat --model DIR --system \"Answer in Korean.\" --temperature 0.7\n"
      "  OPENAI_API_KEY=... malssi chat --model openai:gpt-4o-mini\n"
      "  echo \"Who owns the red boat?\" | malssi chat --model DIR --greedy");
  command->flags.add_to(*sub);
  command->speculation.add_to(*sub);
  sub->add_option("--system", command->system, "system message that leads the conversation");
  sub->callback([command, &runner] {
    check_utf8(command->system, "--system");
    if (const auto remote = remote_model(command->flags.model()))
      return run_remote_chat(*remote, command->flags.remote_options(), command->system,
                             runner.console);
    const LoadedModel loaded = command->flags.load();
    // A long context is remembered as far as memory reasonably goes, unless --context says otherwise.
    constexpr int64_t kUsualContext = 8192;
    const int64_t context = command->flags.context_of(loaded, kUsualContext);
    ChatTerminalOptions options{.generate = command->flags.options(loaded, true),
                                .system = command->system,
                                .context = context,
                                .cache = command->flags.cache_type(),
                                .speculation = command->speculation.make(loaded, context)};
    run_chat(loaded, std::move(options), runner.console);
  });
}

}  // namespace malssi
