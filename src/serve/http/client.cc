#include "serve/http/client.h"

#include <openssl/ssl.h>

#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <chrono>
#include <optional>

#include "base/error.h"

namespace malssi {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr uint64_t kLongestBody = uint64_t{64} << 20;
constexpr auto kUse = asio::use_awaitable;

class Posting {
 public:
  Posting(const PostRequest& request, const std::function<void(std::string_view)>& on_body,
          const std::function<bool()>& cancelled)
      : request_(request), on_body_(on_body), cancelled_(cancelled), timer_(context_) {}

  int run() {
    std::exception_ptr error;
    const auto ended = [&](const std::exception_ptr& thrown) {
      error = thrown;
      over_ = true;
      timer_.cancel();
    };
    asio::co_spawn(context_, connect(), ended);
    asio::co_spawn(context_, watch(), asio::detached);
    context_.run();
    if (is_cancelled_) return 0;
    try {
      if (error) std::rethrow_exception(error);
    } catch (const boost::system::system_error& failed) {
      throw Error(concat("cannot reach ", request_.url.host, ":", request_.url.port, ": ",
                         failed.code().message()));
    }
    return status_;
  }

 private:
  std::chrono::milliseconds quiet() const {
    return std::chrono::milliseconds(static_cast<int64_t>(1000 * request_.quiet_seconds));
  }

  // As the Host header has it.
  std::string authority() const {
    const Url& url = request_.url;
    const bool is_address = url.host.find(':') != url.host.npos;  // IPv6
    const std::string host = is_address ? concat("[", url.host, "]") : url.host;
    return url.port == (url.is_secure ? "443" : "80") ? host : concat(host, ":", url.port);
  }

  asio::awaitable<void> connect() {
    tcp::resolver resolver(context_);
    const auto found = co_await resolver.async_resolve(request_.url.host, request_.url.port, kUse);
    if (!request_.url.is_secure) {
      beast::tcp_stream stream(context_);
      socket_ = &stream;
      stream.expires_after(quiet());
      co_await stream.async_connect(found, kUse);
      co_await talk(stream, stream);
    } else {
      asio::ssl::context trust(asio::ssl::context::tls_client);
      trust.set_default_verify_paths();
      trust.set_verify_mode(asio::ssl::verify_peer);
      beast::ssl_stream<beast::tcp_stream> stream(context_, trust);
      socket_ = &stream.next_layer();
      expect_name(stream.native_handle());
      stream.next_layer().expires_after(quiet());
      co_await stream.next_layer().async_connect(found, kUse);
      error_code code;
      co_await stream.async_handshake(asio::ssl::stream_base::client,
                                      asio::redirect_error(kUse, code));
      if (code) refuse_handshake(stream.native_handle(), code);
      co_await talk(stream, stream.next_layer());
    }
    socket_ = nullptr;
  }

  // The certificate must be for the URL's host, a name or an address.
  void expect_name(SSL* ssl) const {
    const char* const host = request_.url.host.c_str();
    error_code is_name;
    asio::ip::make_address(host, is_name);
    const int is_set = is_name ? SSL_set_tlsext_host_name(ssl, host) & SSL_set1_host(ssl, host)
                               : X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host);
    REQUIRE(is_set == 1, host, ": no certificate can be for this name; check the URL");
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  }

  [[noreturn]] void refuse_handshake(SSL* ssl, error_code code) const {
    const int64_t verdict = SSL_get_verify_result(ssl);
    REQUIRE(verdict == X509_V_OK, "cannot trust ", request_.url.host, ":", request_.url.port,
            ": its certificate: ", X509_verify_cert_error_string(verdict),
            "; check the URL, or name the file of the authority you trust in SSL_CERT_FILE");
    throw boost::system::system_error(code);
  }

  template <class Stream>
  asio::awaitable<void> talk(Stream& stream, beast::tcp_stream& lowest) {
    http::request<http::string_body> message(http::verb::post, request_.url.path, 11);
    message.set(http::field::host, authority());
    message.set(http::field::user_agent, "malssi");
    message.set(http::field::content_type, "application/json");
    for (const auto& [name, value] : request_.headers) message.set(name, value);
    message.body() = request_.body;
    message.prepare_payload();
    co_await http::async_write(stream, message, kUse);
    beast::flat_buffer buffer;
    http::response_parser<http::buffer_body> parser;
    parser.body_limit(kLongestBody);
    co_await http::async_read_header(stream, buffer, parser, kUse);
    status_ = static_cast<int>(parser.get().result_int());
    std::array<char, 16384> piece;
    while (!parser.is_done()) {
      lowest.expires_after(quiet());
      parser.get().body().data = piece.data();
      parser.get().body().size = piece.size();
      error_code code;
      co_await http::async_read_some(stream, buffer, parser, asio::redirect_error(kUse, code));
      const size_t count = piece.size() - parser.get().body().size;
      if (count > 0) on_body_({piece.data(), count});
      if (code && code != http::error::need_buffer) throw boost::system::system_error(code);
    }
  }

  asio::awaitable<void> watch() {
    while (!over_) {
      if (cancelled_ && cancelled_()) {
        is_cancelled_ = true;
        if (socket_) socket_->cancel();
      }
      timer_.expires_after(std::chrono::milliseconds(100));
      error_code ignored;
      co_await timer_.async_wait(asio::redirect_error(kUse, ignored));
    }
  }

  const PostRequest& request_;
  const std::function<void(std::string_view)>& on_body_;
  const std::function<bool()>& cancelled_;
  asio::io_context context_;
  asio::steady_timer timer_;
  beast::tcp_stream* socket_ = nullptr;
  bool over_ = false, is_cancelled_ = false;
  int status_ = 0;
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
