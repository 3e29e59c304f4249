// Asking a server that does not do its part.
#include "serve/http/client.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <chrono>
#include <thread>

#include "base/system.h"
#include "scratch.h"

namespace malssi {
namespace {

// Listens; connections are the system's until they are accepted.
class Listener {
 public:
  Listener() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{
        .sin_family = AF_INET, .sin_port = 0, .sin_addr = {htonl(INADDR_LOOPBACK)}, .sin_zero = {}};
    auto* const plain = reinterpret_cast<sockaddr*>(&address);
    socklen_t size = sizeof(address);
    EXPECT_EQ(::bind(socket_.get(), plain, size), 0);
    EXPECT_EQ(::listen(socket_.get(), 4), 0);
    EXPECT_EQ(::getsockname(socket_.get(), plain, &size), 0);
    port_ = ntohs(address.sin_port);
  }
  // Says this to the next connection, reads nothing, and hangs up.
  void say(const std::string& bytes) {
    const Descriptor peer(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    EXPECT_EQ(::send(peer.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
    ::shutdown(peer.get(), SHUT_WR);
    char rest[4096];
    while (::recv(peer.get(), rest, sizeof(rest), 0) > 0) {
    }
  }
  PostRequest request(double quiet_seconds) const {
    return {.url = parse_url(concat("http://127.0.0.1:", port_)),
            .body = "{}",
            .quiet_seconds = quiet_seconds};
  }

 private:
  Descriptor socket_;
  int port_ = 0;
};

const std::function<void(std::string_view)> kNobody = [](std::string_view) {};

TEST(Post, GivesUpASilentServer) {
  const Listener server;
  const std::string error = error_of([&] { post(server.request(0.2), kNobody); });
  EXPECT_TRUE(is_one_line(error) && contains(error, "says nothing for too long")) << error;
}

TEST(Post, EndsWhenNobodyWantsTheAnswer) {
  const Listener server;
  const auto began = std::chrono::steady_clock::now();
  EXPECT_EQ(post(server.request(60), kNobody, [] { return true; }), 0);
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(20));
}

TEST(Post, ReadsAnAnswerUpToTheEndOfTheConnection) {
  Listener server;
  std::thread other([&] { server.say("HTTP/1.0 418 Teapot\r\n\r\nshort and stout"); });
  std::string body;
  EXPECT_EQ(post(server.request(60), [&](std::string_view piece) { body += piece; }), 418);
  other.join();
  EXPECT_EQ(body, "short and stout");
}

TEST(Post, TellsOfAnAnswerThatIsCutOrNoHttp) {
  for (const auto& [said, what] :
       {std::pair<const char*, const char*>{"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort",
                                            "in the middle of its answer"},
        {"220 mail.example ESMTP\r\n", "does not answer in HTTP/1.1"},
        {"", "without an answer"}}) {
    Listener server;
    std::thread other([&server, said = said] { server.say(said); });
    const std::string error = error_of([&] { post(server.request(60), kNobody); });
    other.join();
    EXPECT_TRUE(is_one_line(error) && contains(error, what)) << error;
  }
}

TEST(Post, SendsNoHeaderOfTwoLines) {
  const Listener server;
  PostRequest request = server.request(60);
  request.headers = {{"authorization", "Bearer a\r\nX-Other: b"}};
  EXPECT_TRUE(contains(error_of([&] { post(request, kNobody); }), "two lines"));
}

}  // namespace
}  // namespace malssi
