#include "cli/demo/page.h"

#include <fcntl.h>
#include <spawn.h>
#include <unistd.h>

#include <cstdlib>

#include "base/error.h"
#include "cli/serving.h"

namespace malssi::demo {
namespace {

constexpr const char* kCompared = "/#/compare?models=base,tuned,polite";

// Nothing happens where there is no desktop, or no browser: the address is told in any case.
void open_browser(const std::string& address) {
  if (!std::getenv("DISPLAY") && !std::getenv("WAYLAND_DISPLAY")) return;
  posix_spawn_file_actions_t quiet;
  posix_spawn_file_actions_init(&quiet);
  posix_spawn_file_actions_addopen(&quiet, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&quiet, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  std::string program = "xdg-open", argument = address;
  char* const arguments[] = {program.data(), argument.data(), nullptr};
  pid_t browser = 0;
  posix_spawnp(&browser, program.c_str(), &quiet, nullptr, arguments, environ);
  posix_spawn_file_actions_destroy(&quiet);
}

}  // namespace

ServeConfig page_config(const fs::path& folder) {
  const auto named = [&](const std::string& name, const fs::path& path) {
    return concat(name, "=", (folder / path).string());
  };
  ServeConfig config;
  // The first is what a new chat begins with.
  config.model = {named("tuned", "tuned/model"), named("polite", "dpo/model"),
                  named("base", "base/model")};
  config.adapter = {named("tuned:fairy-tales", "voice/adapter")};
  config.runs = folder.string();
  config.port = 0;
  config.log = "none";
  return config;
}

std::string page_command(const fs::path& folder) {
  const ServeConfig config = page_config(folder);
  std::string line = "malssi serve";
  for (const std::string& model : config.model) line += " --model " + model;
  for (const std::string& adapter : config.adapter) line += " --adapter " + adapter;
  return line + " --runs " + config.runs;
}

void open_page(const fs::path& folder, Console& console) {
  serve(page_config(folder), console, [&](const Server& server) {
    const std::string address = server.url() + kCompared;
    console.note(concat("three models side by side, a chat and the runs: ", address));
    console.note("Ctrl-C ends");
    open_browser(address);
  });
}

}  // namespace malssi::demo
