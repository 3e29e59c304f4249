#include "serve/http/transport.h"

#include "serve/http/stream_transport.h"

namespace malssi {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

class PlainTransport final : public StreamTransport<tcp::socket> {
 public:
  using StreamTransport::StreamTransport;
  asio::awaitable<bool> handshake() override { co_return true; }
  tcp::socket& socket() override { return stream_; }
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
