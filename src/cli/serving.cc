#include "cli/serving.h"

#include <unistd.h>

#include <chrono>
#include <memory>
#include <mutex>
#include <thread>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/signal.h"
#include "serve/api/routes.h"
#include "serve/http/page.h"
#include "serve/hub/hub.h"

namespace malssi {
namespace {

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

// Runs the server on a thread of its own, and ends it in any case.
class Serving {
 public:
  explicit Serving(Server& server) : server_(server), thread_([&server] { server.run(); }) {}
  ~Serving() { server_.stop(); }

 private:
  Server& server_;
  std::jthread thread_;
};

}  // namespace

void serve(const ServeConfig& config, Console& console,
           const std::function<void(const Server&)>& ready) {
  config.check();
  const StopSignal stop;
  HubOptions wanted = hub_options(config);
  ServerOptions options = server_options(config);
  options.log = log_to(config.log);
  if (options.log)
    wanted.log = [log = options.log](const std::string& message) {
      log(dump_json(Json{{"message", message}}));
    };
  Hub hub(std::move(wanted));
  options.page = page_routes(page_assets());
  options.readiness = [&hub] { return readiness_of(hub); };
  options.metrics = [&hub] { return prometheus_text(hub.statistics()); };
  Server server(std::move(options), api_routes(hub, {.runs = config.runs, .votes = config.votes}));
  hub.start();
  {
    const Serving serving(server);
    for (bool told = false; !StopSignal::requested() && hub.failure().empty();) {
      if (!told && hub.is_ready()) {
        ready(server);
        told = true;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    if (hub.failure().empty()) console.note("stopping; a second signal ends at once");
  }
  const std::string failure = hub.failure();
  hub.stop(0);
  REQUIRE(failure.empty(), failure);
}

}  // namespace malssi
