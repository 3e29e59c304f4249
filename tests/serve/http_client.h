// A client of the server's tests that sends any bytes at all, and a server with handlers that show its ways.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <functional>
#include <string>
#include <thread>

#include "base/error.h"
#include "base/system.h"
#include "serve/http/server.h"

namespace malssi {

// A reply as read from a connection; status 0: the connection ended before one came.
struct SeenReply {
  int status = 0;
  std::string head, body;
  // A header's value, by its name in lower case; empty where there is none.
  std::string header(const std::string& name) const {
    const size_t at = head.find("\r\n" + name + ": ");
    if (at == std::string::npos) return "";
    const size_t begin = at + name.size() + 4;
    return head.substr(begin, head.find("\r\n", begin) - begin);
  }
};

class Client {
 public:
  explicit Client(int64_t port, int receive_buffer = 0) {
    socket_ = Descriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    CHECK(socket_, "no socket");
    if (receive_buffer)
      ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof(receive_buffer));
    const int on = 1;
    ::setsockopt(socket_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ =
        ::connect(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
  }

  bool is_connected() const { return connected_; }
  int descriptor() const { return socket_.get(); }
  void send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t count = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count <= 0) return;  // the server has closed: the reply will tell
      bytes.remove_prefix(static_cast<size_t>(count));
    }
  }
  // A request with a Host and, with a body, JSON.
  void ask(const std::string& method, const std::string& target, const std::string& body = "",
           const std::string& headers = "") {
    std::string text = method + ' ' + target + " HTTP/1.1\r\nHost: localhost\r\n" + headers;
    if (!body.empty())
      text += "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
              "\r\n";
    send(text + "\r\n" + body);
  }
  void end_sending() { ::shutdown(socket_.get(), SHUT_WR); }
  // As a client that crashes: its system answers with a reset.
  void reset() {
    const linger hard = {.l_onoff = 1, .l_linger = 0};
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
    socket_.reset();
  }

  // Waits for more bytes; false at the end of the connection, or after the seconds.
  bool receive(double seconds = 20) {
    pollfd waiting = {.fd = socket_.get(), .events = POLLIN, .revents = 0};
    if (::poll(&waiting, 1, static_cast<int>(seconds * 1000)) <= 0) return false;
    char bytes[65536];
    const ssize_t count = ::recv(socket_.get(), bytes, sizeof(bytes), 0);
    if (count <= 0) {
      closed_ = true;
      return false;
    }
    received_.append(bytes, static_cast<size_t>(count));
    return true;
  }
  // Whether the text comes before the end.
  bool wait_for(std::string_view text, double seconds = 20) {
    while (received_.find(text) == std::string::npos)
      if (!receive(seconds)) return false;
    return true;
  }
  bool is_closed_within(double seconds) {
    while (receive(seconds)) continue;
    return closed_;
  }
  std::string& received() { return received_; }

  // The next reply, with its body put together.
  SeenReply reply(bool to_head = false) {
    SeenReply seen;
    for (;;) {
      if (!wait_for("\r\n\r\n")) return seen;
      const size_t end = received_.find("\r\n\r\n") + 2;
      seen.head = received_.substr(0, end);
      received_.erase(0, end + 2);
      seen.status = std::atoi(seen.head.c_str() + 9);
      if (seen.status != 100) break;
    }
    if (to_head || seen.status == 204 || seen.status == 304) return seen;
    if (seen.header("transfer-encoding") == "chunked") {
      while (take_chunk(seen.body)) continue;
    } else if (const std::string length = seen.header("content-length"); !length.empty()) {
      seen.body = take(std::stoul(length));
    } else {
      while (receive()) continue;
      seen.body = std::exchange(received_, {});
    }
    return seen;
  }

 private:
  std::string take(size_t count) {
    while (received_.size() < count)
      if (!receive()) break;
    const std::string out = received_.substr(0, count);
    received_.erase(0, out.size());
    return out;
  }
  bool take_chunk(std::string& body) {
    if (!wait_for("\r\n")) return false;
    const size_t size = std::stoul(received_, nullptr, 16);
    received_.erase(0, received_.find("\r\n") + 2);
    body += take(size);
    take(2);
    return size > 0;
  }

  Descriptor socket_;
  bool connected_ = false, closed_ = false;
  std::string received_;
};

// A server that runs on a thread of its own while this lives.
class RunningServer {
 public:
  RunningServer(ServerOptions options, std::vector<Route> routes)
      : server(std::move(options), std::move(routes)), thread_([this] { server.run(); }) {}
  ~RunningServer() { server.stop(); }
  int64_t port() const { return server.port(); }
  SeenReply get(const std::string& target, const std::string& headers = "") const {
    return ask("GET", target, "", headers);
  }
  SeenReply ask(const std::string& method, const std::string& target, const std::string& body = "",
                const std::string& headers = "") const {
    Client client(port());
    client.ask(method, target, body, headers);
    return client.reply(method == "HEAD");
  }

  Server server;

 private:
  std::jthread thread_;
};

inline bool happens_within(double seconds, const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() +
                   std::chrono::milliseconds(static_cast<int64_t>(seconds * 1000));
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

}  // namespace malssi
