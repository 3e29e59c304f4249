// malssi serve: models behind an endpoint that OpenAI's clients know, and a chat page.
#include <unistd.h>

#include <chrono>
#include <memory>
#include <mutex>
#include <thread>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/signal.h"
#include "cli/commands.h"
#include "cli/serve_config.h"
#include "serve/api/routes.h"
#include "serve/http/page.h"
#include "serve/hub/hub.h"

namespace malssi {
namespace {

struct ServeCommand {
  std::string file;
  ServeConfig config;
  ConfigSchema schema{config};
};

// Lines from any thread, each whole.
std::function<void(std::string_view)> log_to(const std::string& target) {
  if (target == "none") return {};
  if (target == "-")
    return [](std::string_view line) {
      const std::string whole = std::string(line) + '\n';
      retry([&] { return ::write(STDERR_FILENO, whole.data(), whole.size()); });
    };
  struct Log {
    explicit Log(const std::string& path) : file(path) {}
    std::mutex mutex;
    AppendFile file;
  };
  return [log = std::make_shared<Log>(target)](std::string_view line) {
    const std::lock_guard lock(log->mutex);
    log->file.write(std::string(line) + '\n');
  };
}

Readiness readiness_of(const Hub& hub) {
  if (!hub.failure().empty()) return Readiness::failed;
  return hub.is_ready() ? Readiness::ready : Readiness::loading;
}

void announce(const Server& server, const HubOptions& hub, bool has_keys, bool has_page,
              Runner& runner) {
  const std::string url = server.url();
  const std::string key = has_keys ? " -H 'Authorization: Bearer '$KEY" : "";
  runner.console.note(concat("ready: ", hub.models[0].name, " at ", url, "/v1",
                             has_page ? concat("; the chat page: ", url, "/") : ""));
  runner.console.note(
      concat("try: curl ", url, "/v1/chat/completions", key,
             " -H 'Content-Type: application/json' -d '{\"model\": \"", hub.models[0].name,
             "\", \"messages\": [{\"role\": \"user\", \"content\": \"Hello!\"}]}'"));
}

// Runs the server on a thread of its own, and ends it in any case.
class Serving {
 public:
  explicit Serving(Server& server) : server_(server), thread_([&server] { server.run(); }) {}
  ~Serving() { server_.stop(); }

 private:
  Server& server_;
  std::jthread thread_;
};

void run(ServeCommand& command, Runner& runner) {
  command.schema.load_environment();
  if (!command.file.empty()) command.schema.load_toml(command.file);
  command.schema.check();
  const ServeConfig& config = command.config;
  const StopSignal stop;
  HubOptions wanted = hub_options(config);
  ServerOptions options = server_options(config);
  options.log = log_to(config.log);
  if (options.log)
    wanted.log = [log = options.log](const std::string& message) {
      log(dump_json(Json{{"message", message}}));
    };
  const bool has_keys = !options.guard.keys.empty(), has_page = !page_assets().empty();
  Hub hub(wanted);
  options.page = page_routes(page_assets());
  options.readiness = [&hub] { return readiness_of(hub); };
  options.metrics = [&hub] { return prometheus_text(hub.statistics()); };
  Server server(std::move(options), api_routes(hub, {.runs = config.runs, .votes = config.votes}));
  hub.start();
  {
    const Serving serving(server);
    for (bool told = false; !StopSignal::requested() && hub.failure().empty();) {
      if (!told && hub.is_ready()) {
        announce(server, wanted, has_keys, has_page, runner);
        told = true;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    if (hub.failure().empty()) runner.console.note("stopping; a second signal ends at once");
  }
  const std::string failure = hub.failure();
  hub.stop(0);
  REQUIRE(failure.empty(), failure);
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
