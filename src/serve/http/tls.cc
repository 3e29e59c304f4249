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
  asio::ssl::context ssl;
};

namespace {

using TlsStream = asio::ssl::stream<tcp::socket>;

class TlsTransport : public StreamTransport<TlsStream> {
 public:
  using StreamTransport::StreamTransport;
  asio::awaitable<bool> handshake() override {
    const error_code code = co_await shake_hands(asio::ssl::stream_base::server);
    co_return !code;
  }
  tcp::socket& socket() override { return stream_.next_layer(); }

 protected:
  asio::awaitable<error_code> shake_hands(asio::ssl::stream_base::handshake_type type) {
    error_code code;
    co_await stream_.async_handshake(type, asio::redirect_error(asio::use_awaitable, code));
    co_return code;
  }
};

// The other side's certificate must be for `host`, a name or an address, by an authority that the system trusts.
class TlsClient final : public TlsTransport {
 public:
  TlsClient(tcp::socket socket, std::unique_ptr<TlsContext> trust, const std::string& host)
      : TlsTransport(std::move(socket), trust->ssl), trust_(std::move(trust)) {
    SSL* const ssl = stream_.native_handle();
    error_code is_name;
    asio::ip::make_address(host, is_name);
    const int is_set =
        is_name ? SSL_set_tlsext_host_name(ssl, host.c_str()) & SSL_set1_host(ssl, host.c_str())
                : X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host.c_str());
    REQUIRE(is_set == 1, host, ": no certificate can be for this name; check the URL");
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  }
  asio::awaitable<bool> handshake() override {
    const error_code code = co_await shake_hands(asio::ssl::stream_base::client);
    const int64_t verdict = SSL_get_verify_result(stream_.native_handle());
    REQUIRE(!code || verdict == X509_V_OK,
            "its certificate: ", X509_verify_cert_error_string(verdict),
            "; check the URL, or name the file of the authority you trust in SSL_CERT_FILE");
    co_return !code;
  }

 private:
  std::unique_ptr<TlsContext> trust_;
};

}  // namespace

std::unique_ptr<Transport> tls_transport(tcp::socket socket, TlsContext& context) {
  return std::make_unique<TlsTransport>(std::move(socket), context.ssl);
}

std::unique_ptr<Transport> tls_client(tcp::socket socket, const std::string& host) {
  auto trust = std::make_unique<TlsContext>(asio::ssl::context(asio::ssl::context::tls_client));
  trust->ssl.set_default_verify_paths();
  trust->ssl.set_verify_mode(asio::ssl::verify_peer);
  return std::make_unique<TlsClient>(std::move(socket), std::move(trust), host);
}

std::shared_ptr<TlsContext> load_tls(const std::string& certificate, const std::string& key) {
  auto context = std::make_shared<TlsContext>(asio::ssl::context(asio::ssl::context::tls_server));
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
