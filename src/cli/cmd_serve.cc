// malssi serve: models behind an endpoint that OpenAI's clients know, and a chat page.
#include <memory>

#include "base/error.h"
#include "cli/commands.h"
#include "cli/serving.h"
#include "serve/http/page.h"

namespace malssi {
namespace {

struct ServeCommand {
  std::string file;
  ServeConfig config;
  ConfigSchema schema{config};
};

void announce(const Server& server, const ServeConfig& config, Console& console) {
  const std::string url = server.url(), name = hub_options(config).models[0].name;
  const bool has_keys = !server_options(config).guard.keys.empty();
  const std::string key = has_keys ? " -H 'Authorization: Bearer '$KEY" : "";
  console.note(concat("ready: ", name, " at ", url, "/v1",
                      page_assets().empty() ? "" : concat("; the chat page: ", url, "/")));
  console.note(concat("try: curl ", url, "/v1/chat/completions", key,
                      " -H 'Content-Type: application/json' -d '{\"model\": \"", name,
                      "\", \"messages\": [{\"role\": \"user\", \"content\": \"Hello!\"}]}'"));
}

void run(ServeCommand& command, Runner& runner) {
  command.schema.load_environment();
  if (!command.file.empty()) command.schema.load_toml(command.file);
  command.schema.check();
  serve(command.config, runner.console,
        [&](const Server& server) { announce(server, command.config, runner.console); });
}

}  // namespace

void add_serve(CLI::App& app, Runner& runner) {
  auto command = std::make_shared<ServeCommand>();
  CLI::App* sub = app.add_subcommand("serve", "an endpoint for OpenAI's clients, and a chat page");
  sub->footer(
      "Examples:\n"
      "  malssi serve --model DIR\n"
      "  malssi serve --model small=a.gguf --model large=b.gguf --memory 8 --port 9000\n"
      "  malssi serve --model DIR --adapter style=adapter/ --runs runs/\n"
      "  malssi serve --model DIR --host 0.0.0.0 --api-key-file keys.txt \\\n"
      "      --tls-certificate cert.pem --tls-key key.pem\n"
      "  malssi serve serve.toml\n"
      "Each setting is a flag, a variable (MALSSI_PORT, MALSSI_LIMITS_BODY_BYTES), or a key of "
      "the\n"
      "file, in this order. API keys come from the file of --api-key-file or from MALSSI_API_KEYS\n"
      "(KEY,KEY). /health needs none. Ctrl-C or SIGTERM lets answers under way end.");
  sub->add_option("config", command->file, "settings, as a TOML file")->type_name("FILE.toml");
  command->schema.add_flags(*sub);
  sub->callback([command, &runner] { run(*command, runner); });
}

}  // namespace malssi
