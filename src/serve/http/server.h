// The HTTP/1.1 server: connections, limits, keys, TLS, a clean end. Its few threads only move bytes; handlers run on threads of
// their own and answer through Exchange (exchange.h) from wherever they like.
//
//   Server server({.port = 8080}, {{"GET", "/hello", [](auto exchange) { exchange->reply({.body = "{}"}); }}});
//   server.run();  // until stop(), from any other thread
//
// It adds GET /health (open: 200, or 503 while not ready) and GET /metrics (Prometheus' text). The constructor listens, and
// throws Error naming the address, who has it, and what to do.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "serve/http/exchange.h"
#include "serve/http/guard.h"
#include "serve/http/limits.h"

namespace malssi {

enum class Readiness { loading, ready, failed };

struct ServerOptions {
  std::string host = "127.0.0.1";
  int64_t port = 0;  // 0: a free one
  int64_t io_threads = 1;
  int64_t handler_threads = 2;
  HttpLimits limits = {};
  GuardOptions guard = {};
  std::string tls_certificate = {}, tls_key = {};  // PEM files; both or none
  std::vector<Route> page = {};                    // small files, answered even while a model loads
  std::function<Readiness()> readiness = {};       // without: always ready
  std::function<std::string()> metrics = {};       // lines besides the server's own
  std::function<void(std::string_view)> log =
      {};  // one JSON line for each request; from any thread
};

class Server {
 public:
  Server(ServerOptions options, std::vector<Route> routes);
  ~Server();

  int64_t port() const;
  // "http://127.0.0.1:8080".
  std::string url() const;
  // All of them, the server's own included.
  const std::vector<Route>& routes() const;

  // Serves until stop(), then lets the answers under way end within limits.grace_seconds. Once only.
  void run();
  // From any thread, any number of times.
  void stop();

 private:
  struct Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace malssi
