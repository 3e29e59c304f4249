#include "serve/http/client.h"

#include <algorithm>
#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>

#include "base/error.h"
#include "serve/http/response_reader.h"
#include "serve/http/transport.h"

namespace malssi {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr int64_t kLongestBody = int64_t{64} << 20;
constexpr auto kLook = std::chrono::milliseconds(100);

class Posting {
 public:
  Posting(const PostRequest& request, const std::function<void(std::string_view)>& on_body,
          const std::function<bool()>& cancelled)
      : request_(request),
        cancelled_(cancelled),
        reader_(on_body, kLongestBody),
        resolver_(context_),
        socket_(context_),
        timer_(context_) {}

  int run() {
    std::exception_ptr error;
    asio::co_spawn(context_, talk(), [&](const std::exception_ptr& thrown) {
      error = thrown;
      is_over_ = true;
      timer_.cancel();
    });
    asio::co_spawn(context_, watch(), asio::detached);
    context_.run();
    if (is_cancelled_) return 0;
    if (error) std::rethrow_exception(error);
    return reader_.status();
  }

 private:
  // As the Host header has it.
  std::string authority() const {
    const Url& url = request_.url;
    const bool is_address = url.host.find(':') != url.host.npos;  // IPv6
    const std::string host = is_address ? concat("[", url.host, "]") : url.host;
    return url.port == (url.is_secure ? "443" : "80") ? host : concat(host, ":", url.port);
  }

  std::string message() const {
    std::string text = concat("POST ", request_.url.path, " HTTP/1.1\r\nHost: ", authority(),
                              "\r\nUser-Agent: malssi\r\nContent-Type: application/json\r\n");
    for (const auto& [name, value] : request_.headers) {
      REQUIRE(value.find_first_of("\r\n") == value.npos, "header \"", name, "\": it has two lines");
      text += concat(name, ": ", value, "\r\n");
    }
    return text + concat("Content-Length: ", request_.body.size(), "\r\n\r\n", request_.body);
  }

  [[noreturn]] void fail(std::string_view verb, std::string_view what) const {
    const bool is_late = is_quiet_ && !is_cancelled_;
    throw Error(concat("cannot ", verb, " ", request_.url.host, ":", request_.url.port, ": ",
                       is_late ? "it says nothing for too long" : what));
  }

  asio::awaitable<void> talk() {
    error_code code;
    const auto found = co_await resolver_.async_resolve(
        request_.url.host, request_.url.port, asio::redirect_error(asio::use_awaitable, code));
    if (!code)
      co_await asio::async_connect(socket_, found, asio::redirect_error(asio::use_awaitable, code));
    if (code) fail("reach", code.message());
    transport_ = request_.url.is_secure ? tls_client(std::move(socket_), request_.url.host)
                                        : plain_transport(std::move(socket_));
    bool is_safe = false;
    try {
      is_safe = co_await transport_->handshake();
    } catch (const Error& refused) {
      fail("trust", refused.what());
    }
    if (!is_safe) fail("reach", "it does not speak TLS; check the URL");
    try {
      co_await send(message());
      co_await receive();
    } catch (const Error& broken) {
      fail("reach", broken.what());
    }
  }

  asio::awaitable<void> send(std::string text) {
    for (std::string_view rest = text; !rest.empty();) {
      const size_t count = co_await transport_->write(rest);
      REQUIRE(count > 0, "it ended the connection before it had the request");
      heard_ = std::chrono::steady_clock::now();
      rest.remove_prefix(count);
    }
  }

  asio::awaitable<void> receive() {
    std::array<char, 16384> buffer;
    while (!reader_.is_done()) {
      const size_t count = co_await transport_->read(buffer);
      heard_ = std::chrono::steady_clock::now();
      if (count == 0) {
        REQUIRE(!is_quiet_, "");
        reader_.end();
      } else {
        reader_.feed({buffer.data(), count});
      }
    }
  }

  // Ends everything when nobody wants it any more, or the other side is silent for too long.
  asio::awaitable<void> watch() {
    const std::chrono::duration<double> longest(request_.quiet_seconds);
    while (!is_over_) {
      is_cancelled_ = is_cancelled_ || (cancelled_ && cancelled_());
      is_quiet_ = is_quiet_ || std::chrono::steady_clock::now() - heard_ > longest;
      if (is_cancelled_ || is_quiet_) close();
      timer_.expires_after(kLook);
      error_code ignored;
      co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    }
  }

  void close() {
    error_code ignored;
    resolver_.cancel();
    socket_.close(ignored);
    if (transport_) transport_->abort();
  }

  const PostRequest& request_;
  const std::function<bool()>& cancelled_;
  ResponseReader reader_;
  asio::io_context context_;
  tcp::resolver resolver_;
  tcp::socket socket_;  // until it is the transport's
  asio::steady_timer timer_;
  std::unique_ptr<Transport> transport_;
  std::chrono::steady_clock::time_point heard_ = std::chrono::steady_clock::now();
  bool is_over_ = false, is_cancelled_ = false, is_quiet_ = false;
};

}  // namespace

Url parse_url(const std::string& text) {
  Url url;
  std::string_view rest = text;
  const auto take = [&](std::string_view prefix) {
    if (!rest.starts_with(prefix)) return false;
    rest.remove_prefix(prefix.size());
    return true;
  };
  url.is_secure = take("https://");
  REQUIRE(url.is_secure || take("http://"), text, ": expected a URL with http:// or https://");
  const size_t slash = std::min(rest.find('/'), rest.size());
  const std::string_view authority = rest.substr(0, slash);
  url.path = rest.substr(slash);
  while (url.path.ends_with('/')) url.path.pop_back();
  const size_t bracket = authority.rfind(']');  // of an IPv6 address
  const size_t colon = authority.rfind(':');
  const bool has_port = colon != authority.npos && (bracket == authority.npos || colon > bracket);
  url.host = authority.substr(0, has_port ? colon : authority.size());
  if (url.host.starts_with('[') && url.host.ends_with(']'))
    url.host = url.host.substr(1, url.host.size() - 2);
  url.port = has_port ? std::string(authority.substr(colon + 1)) : url.is_secure ? "443" : "80";
  const bool is_plain = text.find_first_of("@ \t\r\n#") == text.npos;
  const bool is_port = !url.port.empty() && url.port.size() <= 5 &&
                       url.port.find_first_not_of("0123456789") == url.port.npos;
  REQUIRE(!url.host.empty() && is_port && is_plain, text,
          ": expected a URL such as https://example.org/v1");
  return url;
}

int post(const PostRequest& request, const std::function<void(std::string_view)>& on_body,
         const std::function<bool()>& cancelled) {
  return Posting(request, on_body, cancelled).run();
}

}  // namespace malssi
