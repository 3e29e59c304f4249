// What a client may take of the server, and what it is told beyond that.
#include <gtest/gtest.h>

#include <atomic>

#include "serve/http/server.h"
#include "serve/http_client.h"
#include "serve/http_ticker.h"

namespace malssi {
namespace {

void accept_all(const std::shared_ptr<Exchange>& exchange) { exchange->reply({.body = "{}"}); }
std::vector<Route> routes() {
  return {{"POST", "/take", accept_all}, {"GET", "/take", accept_all}};
}

TEST(HttpLimits, HoldForHeaders) {
  ServerOptions options;
  options.limits.header_bytes = 1000;
  options.limits.header_fields = 10;
  const RunningServer server(options, routes());
  EXPECT_EQ(server.get("/take", "X-Long: " + std::string(800, 'a') + "\r\n").status, 200);
  EXPECT_EQ(server.get("/take", "X-Long: " + std::string(1000, 'a') + "\r\n").status, 431);
  EXPECT_EQ(server.get("/take?" + std::string(5000, 'a')).status, 431);
  std::string many;
  for (int i = 0; i < 10; ++i) many += concat("X-", i, ": a\r\n");
  EXPECT_EQ(server.get("/take", many).status, 431);
  Client endless(server.port());
  for (int i = 0; i < 100; ++i) endless.send(std::string(1000, 'a'));
  EXPECT_EQ(endless.reply().status, 431);
  EXPECT_TRUE(endless.is_closed_within(5));
}

TEST(HttpLimits, HoldForBodies) {
  ServerOptions options;
  options.limits.body_bytes = 1000;
  const RunningServer server(options, routes());
  EXPECT_EQ(server.ask("POST", "/take", std::string(1000, ' ')).status, 200);
  EXPECT_EQ(server.ask("POST", "/take", std::string(1001, ' ')).status, 413);
  Client announced(server.port());
  announced.send(
      "POST /take HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
      "Content-Length: 999999999999\r\n\r\n");
  EXPECT_EQ(announced.reply().status, 413);
  EXPECT_TRUE(announced.is_closed_within(5));
  Client chunked(server.port());
  chunked.send(
      "POST /take HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
      "Transfer-Encoding: chunked\r\n\r\n");
  for (int i = 0; i < 11; ++i) chunked.send("64\r\n" + std::string(100, ' ') + "\r\n");
  EXPECT_EQ(chunked.reply().status, 413);
}

TEST(HttpLimits, HoldForAllBodiesTogether) {
  ServerOptions options;
  options.limits.body_memory = 1 << 20;
  const RunningServer server(options, routes());
  const std::string begin =
      "POST /take HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
      "Content-Length: 900000\r\n\r\n";
  {
    Client first(server.port()), second(server.port());
    first.send(begin + std::string(800000, ' '));
    ASSERT_TRUE(happens_within(5, [&] {
      return server.get("/metrics").body.find("malssi_http_body_bytes 800000\n") !=
             std::string::npos;
    }));
    second.send(begin + std::string(800000, ' '));
    const SeenReply reply = second.reply();
    EXPECT_EQ(reply.status, 503);
    EXPECT_EQ(reply.header("retry-after"), "1");
    first.send(std::string(100000, ' '));
    EXPECT_EQ(first.reply().status, 200);
  }
  EXPECT_NE(server.get("/metrics").body.find("malssi_http_body_bytes 0\n"), std::string::npos);
}

TEST(HttpLimits, HoldForTime) {
  ServerOptions options;
  options.limits.header_seconds = options.limits.body_seconds = options.limits.idle_seconds = 0.3;
  const RunningServer server(options, routes());
  Client idle(server.port()), header(server.port()), body(server.port()), kept(server.port());
  header.send("GET /take HTTP/1.1\r\nHost: lo");
  body.send(
      "POST /take HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
      "Content-Length: 10\r\n\r\n{");
  kept.ask("GET", "/take");
  EXPECT_EQ(kept.reply().status, 200);
  EXPECT_EQ(header.reply().status, 408);
  EXPECT_EQ(body.reply().status, 408);
  for (Client* client : {&idle, &header, &body, &kept}) {
    EXPECT_TRUE(client->is_closed_within(5));
    EXPECT_EQ(client->received(), "");
  }
}

TEST(HttpLimits, HoldForConnections) {
  ServerOptions options;
  options.limits.connections = 4;
  const RunningServer server(options, routes());
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 4; ++i) {
    clients.push_back(std::make_unique<Client>(server.port()));
    clients.back()->ask("GET", "/take");
    EXPECT_EQ(clients.back()->reply().status, 200);
  }
  Client refused(server.port());
  refused.ask("GET", "/take");
  const SeenReply reply = refused.reply();
  EXPECT_EQ(reply.status, 503);
  EXPECT_EQ(reply.header("retry-after"), "1");
  EXPECT_EQ(reply.header("connection"), "close");
  EXPECT_TRUE(refused.is_closed_within(5));
  clients.clear();
  EXPECT_TRUE(happens_within(5, [&] { return server.get("/take").status == 200; }));
}

TEST(HttpLimits, HoldForRequests) {
  Ticker ticker;
  ServerOptions options;
  options.limits.requests = 2;
  const RunningServer server(options, {{"GET", "/tick", ticker.handler()}});
  auto first = std::make_unique<Client>(server.port());
  Client second(server.port());
  for (Client* client : {first.get(), &second}) {
    client->ask("GET", "/tick");
    ASSERT_TRUE(client->wait_for("data: "));
  }
  const SeenReply reply = server.get("/tick");
  EXPECT_EQ(reply.status, 429);
  EXPECT_EQ(reply.header("retry-after"), "1");
  EXPECT_EQ(reply.header("connection"), "keep-alive");
  EXPECT_EQ(server.get("/health").status, 200);
  first.reset();
  EXPECT_TRUE(happens_within(5, [&] { return server.get("/tick?tokens=1").status == 200; }));
}

TEST(HttpLimits, GiveUpAClientThatDoesNotRead) {
  Ticker ticker(1);
  ServerOptions options;
  options.limits.stream_bytes = 64 << 10;
  const RunningServer server(options, {{"GET", "/tick", ticker.handler()}});
  Client client(server.port(), 4096);
  client.ask("GET", "/tick?bytes=8000");
  EXPECT_TRUE(happens_within(5, [&] { return ticker.open() == 1; }));
  EXPECT_TRUE(happens_within(15, [&] { return ticker.open() == 0; }));
  EXPECT_TRUE(happens_within(5, [&] {
    return server.get("/metrics").body.find("malssi_http_given_up_total 1\n") != std::string::npos;
  }));
  EXPECT_NE(server.get("/metrics").body.find("malssi_http_requests_running 0\n"),
            std::string::npos);
}

TEST(HttpLimits, GiveUpAClientThatReadsNothingForLong) {
  ServerOptions options;
  options.limits.write_seconds = 0.3;
  const RunningServer server(options, {{"GET", "/large", [](auto exchange) {
                                          exchange->reply({.body = std::string(16 << 20, ' ')});
                                        }}});
  Client client(server.port(), 4096);
  client.ask("GET", "/large");
  EXPECT_TRUE(happens_within(10, [&] {
    return server.get("/metrics").body.find("malssi_http_given_up_total 1\n") != std::string::npos;
  }));
  Client reader(server.port());
  reader.ask("GET", "/large");
  EXPECT_EQ(reader.reply().body.size(), 16 << 20);
}

TEST(HttpLimits, EndAnAnswerThatTakesTooLong) {
  Ticker ticker;
  ServerOptions options;
  options.limits.answer_seconds = 0.3;
  const RunningServer server(options, {{"GET", "/tick", ticker.handler()}});
  Client client(server.port());
  client.ask("GET", "/tick");
  EXPECT_TRUE(client.is_closed_within(5));
  EXPECT_TRUE(happens_within(2, [&] { return ticker.open() == 0; }));
}

TEST(HttpLimits, JsonMustSaySo) {
  const RunningServer server({}, routes());
  for (const char* type :
       {"", "Content-Type: text/plain\r\n", "Content-Type: application/x-www-form-urlencoded\r\n",
        "Content-Type: multipart/form-data\r\n"}) {
    Client client(server.port());
    client.send(
        concat("POST /take HTTP/1.1\r\nHost: localhost\r\n", type, "Content-Length: 2\r\n\r\n{}"));
    EXPECT_EQ(client.reply().status, 415) << type;
  }
  Client client(server.port());
  client.send(
      "POST /take HTTP/1.1\r\nHost: localhost\r\nContent-Type: Application/JSON; charset=utf-8\r\n"
      "Content-Length: 2\r\n\r\n{}");
  EXPECT_EQ(client.reply().status, 200);
}

}  // namespace
}  // namespace malssi
