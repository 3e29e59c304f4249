// The transport over a stream of Asio's, plain or not. For the sources of this folder only.
#pragma once

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "serve/http/transport.h"

namespace malssi {

template <class Stream>
class StreamTransport : public Transport {
 public:
  template <class... Parts>
  explicit StreamTransport(Parts&&... parts) : stream_(std::forward<Parts>(parts)...) {}

  boost::asio::awaitable<size_t> read(std::span<char> buffer) override {
    boost::system::error_code code;
    const size_t count = co_await stream_.async_read_some(
        boost::asio::buffer(buffer.data(), buffer.size()),
        boost::asio::redirect_error(boost::asio::use_awaitable, code));
    co_return code ? 0 : count;
  }
  boost::asio::awaitable<size_t> write(std::string_view bytes) override {
    boost::system::error_code code;
    const size_t count = co_await stream_.async_write_some(
        boost::asio::buffer(bytes.data(), bytes.size()),
        boost::asio::redirect_error(boost::asio::use_awaitable, code));
    co_return code ? 0 : count;
  }

 protected:
  Stream stream_;
};

}  // namespace malssi
