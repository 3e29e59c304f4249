// What all connections share: the routes, who may ask, the limits, the log, and whether the server is up.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "serve/http/answer.h"
#include "serve/http/guard.h"
#include "serve/http/limits.h"
#include "serve/http/request_parser.h"
#include "serve/http/router.h"
#include "serve/http/server.h"

namespace malssi {

// One line of the log: what became of a request. Neither prompts nor keys nor the query are in it.
struct LogEntry {
  std::string id, client, owner, method, path;
  int status = 0;  // 0: no answer was begun
  int64_t bytes = 0;
  double seconds = 0;
  std::string_view end = "done";  // done, left, slow, late, stopped, broken
};
std::string log_line(const LogEntry& entry);

class Site {
 public:
  Site(ServerOptions options, std::vector<Route> routes);

  // What the header of a request decides, before its body is read: the route, or the refusal.
  struct Admission {
    const Route* route = nullptr;
    std::optional<HttpReply> refusal = {};
    HttpRequest request = {};
    HttpHeaders headers = {};  // for the reply, whatever it is
    bool is_light =
        false;  // answered at once on the connection's thread, however busy the server is
  };
  Admission admit(const RequestHead& head);
  // Calls the route's handler; what it throws becomes the reply.
  static void handle(const Handler& handler, const std::shared_ptr<Exchange>& exchange);

  void log(const LogEntry& entry);
  void count_reply(int status);

  const ServerOptions& options() const { return options_; }
  const HttpLimits& limits() const { return options_.limits; }
  const std::vector<Route>& routes() const { return router_.routes(); }
  const std::shared_ptr<Load>& load() const { return load_; }
  std::atomic<bool> stopping = false;
  std::function<void(std::function<void()>)> run_elsewhere;  // off the connections' threads

 private:
  void decide(const RequestHead& head, Admission& admission);
  HttpReply health() const;
  HttpReply metrics() const;
  bool is_light(const Route& route) const;

  ServerOptions options_;
  size_t api_routes_;  // those after them are the server's own
  Guard guard_;
  Router router_;
  std::shared_ptr<Load> load_ = std::make_shared<Load>();
};

}  // namespace malssi
