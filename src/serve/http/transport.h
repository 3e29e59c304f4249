// The bytes of one connection, plain or through TLS. For the sources of this folder only: it names Asio's types.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace malssi {

class TlsContext;  // tls.cc

class Transport {
 public:
  virtual ~Transport() = default;
  // False when it failed.
  virtual boost::asio::awaitable<bool> handshake() = 0;
  // How many bytes; 0 when the other side has ended, or failed.
  virtual boost::asio::awaitable<size_t> read(std::span<char> buffer) = 0;
  // Some of the bytes, at least one; 0 when the other side has failed.
  virtual boost::asio::awaitable<size_t> write(std::string_view bytes) = 0;
  virtual boost::asio::ip::tcp::socket& socket() = 0;

  // Nothing more will be written; what was, still arrives.
  void end_sending();
  // At once: the system forgets what was not sent, and whatever waits for this connection ends.
  void abort();
};

std::unique_ptr<Transport> plain_transport(boost::asio::ip::tcp::socket socket);
// The context must outlive the transport.
std::unique_ptr<Transport> tls_transport(boost::asio::ip::tcp::socket socket, TlsContext& context);
// To a server whose certificate must be for `host`, by an authority that the system trusts; else handshake() throws Error.
std::unique_ptr<Transport> tls_client(boost::asio::ip::tcp::socket socket, const std::string& host);
// Throws Error naming the file that is no good.
std::shared_ptr<TlsContext> load_tls(const std::string& certificate, const std::string& key);

}  // namespace malssi
