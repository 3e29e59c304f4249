#include "cli/tune_preview.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <memory>

#include "base/error.h"
#include "io/model_folder.h"
#include "io/model_source.h"
#include "train/tune/preview.h"

namespace malssi {
namespace {

struct PreviewCommand {
  std::string model, data, chat_template;
  LoadOptions load;
  PreviewOptions options;
};

bool is_set(const char* variable) {
  const char* value = std::getenv(variable);
  return value != nullptr && *value != '\0';
}

ChatTemplate chat_of(const PreviewCommand& command, const ModelSource& source) {
  if (!command.chat_template.empty()) return ChatTemplate::named(command.chat_template);
  if (source.chat_template.empty()) return ChatTemplate();
  return ChatTemplate::from_jinja(source.chat_template, source.where);
}

void run(PreviewCommand& command) {
  const bool is_file = path_exists(command.model) && is_gguf_file(command.model);
  const ModelSource source =
      open_model(is_file ? fs::path(command.model) : find_model(command.model));
  REQUIRE(source.tokenizer, command.model, ": no tokenizer there");
  const ChatTemplate chat = chat_of(command, source);
  for (const std::string& token : chat.special_tokens()) source.tokenizer->add_special(token);
  PreviewOptions& options = command.options;
  if (options.set.context == 0) options.set.context = source.config.context;
  options.style.has_colour = isatty(STDOUT_FILENO) && !is_set("NO_COLOR");
  const std::optional<PreferenceKind> kind = preference_kind(command.data);
  const std::string text =
      kind ? preview_preferences(load_preferences(command.data, *kind, command.load),
                                 *source.tokenizer, chat, options)
           : preview_chats(load_sft(command.data, command.load), *source.tokenizer, chat, options);
  std::fwrite(text.data(), 1, text.size(), stdout);
}

}  // namespace

void add_tune_preview(CLI::App& tune, Runner&) {
  auto command = std::make_shared<PreviewCommand>();
  command->options.set = {.context = 0, .too_long = "turns"};
  CLI::App* sub = tune.add_subcommand("preview", "show which tokens a tuning run would learn");
  sub->footer(
      "Examples:\n"
      "  malssi tune preview runs/base chats.jsonl\n"
      "  malssi tune preview DIR pairs.jsonl --count 1 --tokens\n"
      "Learned tokens are green on a terminal, else [in brackets]. Preferences (chosen and "
      "rejected, or\nlabelled answers) are shown answer by answer.");
  sub->add_option("model", command->model, "model folder, run or GGUF file")
      ->required()
      ->type_name("MODEL");
  sub->add_option("data", command->data, "conversations or preferences")
      ->required()
      ->type_name("DATA");
  sub->add_option("--count", command->options.count, "records shown")
      ->check(CLI::NonNegativeNumber);
  sub->add_flag("--tokens", command->options.style.each_token, "a line for each token");
  sub->add_option("--chat-template", command->chat_template,
                  "malssi, chatml, llama3 or alpaca (default: the model's own, else malssi)")
      ->check(CLI::IsMember(ChatTemplate::styles()));
  sub->add_option("--context", command->options.set.context,
                  "tokens of a conversation (default: as many as the model takes)")
      ->check(CLI::PositiveNumber);
  sub->add_option("--too-long", command->options.set.too_long, "turns, truncate, drop or refuse")
      ->check(CLI::IsMember({"turns", "truncate", "drop", "refuse"}));
  sub->add_option("--loss-on", command->options.set.loss_on, "answers, last or all")
      ->check(CLI::IsMember({"answers", "last", "all"}));
  sub->add_option("--prompt-column", command->load.prompt_column, "the column of the question");
  sub->add_option("--answer-column", command->load.answer_column, "the column of the answer");
  sub->add_flag("--skip-invalid", command->load.skip_invalid, "leave out malformed records");
  sub->callback([command] { run(*command); });
}

}  // namespace malssi
