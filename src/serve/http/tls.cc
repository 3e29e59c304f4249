// The transport through TLS 1.2 and 1.3.
#include <openssl/ssl.h>

#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>

#include "base/error.h"
#include "serve/http/stream_transport.h"

namespace malssi {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

class TlsContext {
 public:
  asio::ssl::context ssl{asio::ssl::context::tls_server};
};

namespace {

class TlsTransport final : public StreamTransport<asio::ssl::stream<tcp::socket>> {
 public:
  using StreamTransport::StreamTransport;
  asio::awaitable<bool> handshake() override {
    error_code code;
    co_await stream_.async_handshake(asio::ssl::stream_base::server,
                                     asio::redirect_error(asio::use_awaitable, code));
    co_return !code;
  }
  tcp::socket& socket() override { return stream_.next_layer(); }
};

}  // namespace

std::unique_ptr<Transport> tls_transport(tcp::socket socket, TlsContext& context) {
  return std::make_unique<TlsTransport>(std::move(socket), context.ssl);
}

std::shared_ptr<TlsContext> load_tls(const std::string& certificate, const std::string& key) {
  auto context = std::make_shared<TlsContext>();
  asio::ssl::context& ssl = context->ssl;
  ssl.set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_tlsv1 |
                  asio::ssl::context::no_tlsv1_1 | SSL_OP_NO_RENEGOTIATION);
  error_code code;
  ssl.use_certificate_chain_file(certificate, code);
  REQUIRE(!code, certificate, ": no certificate chain in PEM form: ", code.message());
  ssl.use_private_key_file(key, asio::ssl::context::pem, code);
  REQUIRE(!code, key, ": no private key in PEM form without a passphrase, or not that of ",
          certificate, ": ", code.message());
  REQUIRE(::SSL_CTX_check_private_key(ssl.native_handle()) == 1, key, " is not the key of ",
          certificate);
  return context;
}

}  // namespace malssi
