#include "serve/http/server.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <thread>

#include "base/error.h"
#include "serve/api_error.h"
#include "serve/http/connection.h"
#include "serve/http/port_holder.h"
#include "serve/http/process_figures.h"
#include "serve/http/reply_text.h"

namespace malssi {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using std::chrono::milliseconds;

constexpr int kBacklog = 4096;
constexpr int64_t kOwnDescriptors = 128;  // beside connections: files, other sockets
constexpr int kRefusalsAtOnce = 256;      // clients being told that the server is full
constexpr int kSendBuffer = 128 << 10;    // else the system keeps megabytes for each slow reader
constexpr milliseconds kTick(100);        // how exactly time limits are kept

tcp::acceptor listening(asio::io_context& context, const std::string& host, int64_t port) {
  error_code code;
  const auto address = asio::ip::make_address(host == "localhost" ? "127.0.0.1" : host, code);
  REQUIRE(!code, "host '", host,
          "' is no address of this machine; give one in numbers, such as "
          "127.0.0.1, or 0.0.0.0 for all of them");
  const tcp::endpoint endpoint(address, static_cast<uint16_t>(port));
  tcp::acceptor acceptor(context, endpoint.protocol());
  acceptor.set_option(asio::socket_base::reuse_address(true));
  acceptor.bind(endpoint, code);
  if (!code) acceptor.listen(kBacklog, code);
  if (code == asio::error::address_in_use) {
    const std::string holder = port_holder(port);
    throw Error(concat("port ", port, " of ", host, " is taken",
                       holder.empty() ? "" : " by " + holder,
                       "; choose another with --port (0: any)"));
  }
  REQUIRE(!code, "cannot listen on ", host, " port ", port, ": ", code.message(),
          "; choose another with --host and --port");
  return acceptor;
}

ServerOptions within_the_system(ServerOptions options) {
  const int64_t possible = raise_descriptor_limit() - kOwnDescriptors;
  options.limits.connections = std::max<int64_t>(1, std::min(options.limits.connections, possible));
  options.guard.bound_address = options.host;
  return options;
}

}  // namespace

struct Server::Implementation {
  Implementation(ServerOptions options, std::vector<Route> routes)
      : site(within_the_system(std::move(options)), std::move(routes)),
        pool(static_cast<size_t>(site.options().handler_threads)) {
    const ServerOptions& given = site.options();
    REQUIRE(given.tls_certificate.empty() == given.tls_key.empty(),
            "TLS needs both a certificate and its key: give --tls-certificate and --tls-key");
    if (!given.tls_certificate.empty()) tls = load_tls(given.tls_certificate, given.tls_key);
    for (int64_t i = 0; i < given.io_threads; ++i) reactors.push_back(std::make_unique<Reactor>());
    acceptor.emplace(listening(reactors[0]->context, given.host, given.port));
    port = acceptor->local_endpoint().port();
    site.run_elsewhere = [this](std::function<void()> work) { asio::post(pool, std::move(work)); };
  }

  asio::awaitable<void> accept_all();
  asio::awaitable<void> watch_time(Reactor& reactor);
  asio::awaitable<void> refuse(tcp::socket socket);
  void welcome(tcp::socket socket, Reactor& reactor);

  Site site;
  std::vector<std::unique_ptr<Reactor>> reactors;
  std::optional<tcp::acceptor> acceptor;
  int64_t port = 0;  // the one given, or the one found
  std::shared_ptr<TlsContext> tls;
  std::atomic<Clock::time_point> last_moment = Clock::time_point::max();
  int refusals = 0;
  asio::thread_pool pool;  // the first to go: handlers use all of the above
};

asio::awaitable<void> Server::Implementation::accept_all() {
  for (size_t turn = 0; !site.stopping; ++turn) {
    Reactor& reactor = *reactors[turn % reactors.size()];
    error_code code;
    tcp::socket socket = co_await acceptor->async_accept(
        reactor.context, asio::redirect_error(asio::use_awaitable, code));
    if (site.stopping) break;
    if (code) {  // out of descriptors or memory: those who left will have given some back
      asio::steady_timer timer(reactors[0]->context, milliseconds(50));
      co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, code));
      continue;
    }
    ++site.load()->accepted;
    welcome(std::move(socket), reactor);
  }
}

void Server::Implementation::welcome(tcp::socket socket, Reactor& reactor) {
  Hold place(site.load(), &Load::connections);
  if (!place.take(1, site.limits().connections)) {
    ++site.load()->refused;
    if (!tls && refusals < kRefusalsAtOnce)
      asio::co_spawn(reactors[0]->context, refuse(std::move(socket)), asio::detached);
    return;
  }
  error_code code;
  socket.set_option(tcp::no_delay(true), code);
  socket.set_option(asio::socket_base::send_buffer_size(kSendBuffer), code);
  const tcp::endpoint peer = socket.remote_endpoint(code);
  if (code) return;  // gone already
  const std::string client = concat(peer.address().to_string(), " ", peer.port());
  // Between threads in a shared pointer: what is posted must be copyable to be stored.
  auto transport =
      tls ? tls_transport(std::move(socket), *tls) : plain_transport(std::move(socket));
  asio::post(reactor.context, [this, &reactor, client, transport = std::move(transport),
                               place = std::move(place)]() mutable {
    start_connection(std::move(transport), client, site, reactor, std::move(place));
  });
}

// Says that the server is full, and gives the client a second to hear it.
asio::awaitable<void> Server::Implementation::refuse(tcp::socket socket) {
  ++refusals;
  const HttpReply reply = error_reply(
      ApiError(503, "the server has as many connections as it takes", {}, "too_many_connections"));
  const HeadStyle style = {.after = After::close};
  const std::string text = head_text(reply, style) + reply.body;
  error_code code;
  socket.non_blocking(true, code);
  socket.write_some(asio::buffer(text), code);
  socket.shutdown(tcp::socket::shutdown_send, code);
  asio::steady_timer timer(reactors[0]->context);
  char thrown_away[1024];
  for (int i = 0; i < 10 && !code; ++i) {
    timer.expires_after(milliseconds(100));
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, code));
    socket.read_some(asio::buffer(thrown_away), code);
    if (code == asio::error::would_block) code.clear();
  }
  site.count_reply(reply.status);
  --refusals;
}

asio::awaitable<void> Server::Implementation::watch_time(Reactor& reactor) {
  asio::steady_timer timer(reactor.context);
  while (!site.stopping || !reactor.connections.empty()) {
    timer.expires_after(kTick);
    error_code ignored;
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    const Clock::time_point now = Clock::now();
    for (Supervised* connection : reactor.connections)
      now < last_moment.load() ? connection->check_time(now) : connection->end_now();
  }
}

Server::Server(ServerOptions options, std::vector<Route> routes)
    : implementation_(std::make_unique<Implementation>(std::move(options), std::move(routes))) {}
Server::~Server() = default;

int64_t Server::port() const { return implementation_->port; }

std::string Server::url() const {
  const ServerOptions& options = implementation_->site.options();
  const bool v6 = options.host.find(':') != std::string::npos;
  return concat(implementation_->tls ? "https://" : "http://", v6 ? "[" : "", options.host,
                v6 ? "]" : "", ":", port());
}

const std::vector<Route>& Server::routes() const { return implementation_->site.routes(); }

void Server::run() {
  Implementation& own = *implementation_;
  asio::co_spawn(own.reactors[0]->context, own.accept_all(), asio::detached);
  for (const auto& reactor : own.reactors)
    asio::co_spawn(reactor->context, own.watch_time(*reactor), asio::detached);
  std::vector<std::jthread> threads;
  for (size_t i = 1; i < own.reactors.size(); ++i)
    threads.emplace_back([&reactor = *own.reactors[i]] { reactor.context.run(); });
  own.reactors[0]->context.run();
  threads.clear();
  own.pool.join();
}

void Server::stop() {
  Implementation& own = *implementation_;
  if (own.site.stopping.exchange(true)) return;
  own.last_moment =
      Clock::now() + std::chrono::duration_cast<Clock::duration>(
                         std::chrono::duration<double>(own.site.limits().grace_seconds));
  asio::post(own.reactors[0]->context, [&own] {
    error_code ignored;
    own.acceptor->close(ignored);
  });
  for (const auto& reactor : own.reactors)
    asio::post(reactor->context, [&reactor = *reactor] {
      for (Supervised* connection : reactor.connections) connection->end_soon();
    });
}

}  // namespace malssi
