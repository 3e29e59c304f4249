#include "serve/http/transport.h"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace malssi {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

class PlainTransport final : public Transport {
 public:
  explicit PlainTransport(tcp::socket socket) : socket_(std::move(socket)) {}
  asio::awaitable<bool> handshake() override { co_return true; }
  asio::awaitable<size_t> read(std::span<char> buffer) override {
    error_code code;
    const size_t count =
        co_await socket_.async_read_some(asio::buffer(buffer.data(), buffer.size()),
                                         asio::redirect_error(asio::use_awaitable, code));
    co_return code ? 0 : count;
  }
  asio::awaitable<size_t> write(std::string_view bytes) override {
    error_code code;
    const size_t count = co_await socket_.async_write_some(
        asio::buffer(bytes.data(), bytes.size()), asio::redirect_error(asio::use_awaitable, code));
    co_return code ? 0 : count;
  }
  tcp::socket& socket() override { return socket_; }

 private:
  tcp::socket socket_;
};

}  // namespace

std::unique_ptr<Transport> plain_transport(tcp::socket socket) {
  return std::make_unique<PlainTransport>(std::move(socket));
}

void Transport::end_sending() {
  error_code ignored;
  socket().shutdown(tcp::socket::shutdown_send, ignored);
}

void Transport::abort() {
  error_code ignored;
  socket().set_option(asio::socket_base::linger(true, 0), ignored);
  socket().close(ignored);
}

}  // namespace malssi
