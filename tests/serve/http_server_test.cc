// The server's everyday ways: requests, answers in one piece and in many, the order of replies, the end.
#include "serve/http/server.h"

#include <gtest/gtest.h>

#include <atomic>
#include <mutex>

#include "base/json.h"
#include "serve/api_error.h"
#include "serve/http_client.h"
#include "serve/http_ticker.h"

namespace malssi {
namespace {

void echo(const std::shared_ptr<Exchange>& exchange) {
  const HttpRequest& request = exchange->request();
  exchange->reply({.body = dump_json(Json{{"method", request.method},
                                          {"path", request.path},
                                          {"query", request.query},
                                          {"body", request.body}})});
}

// Answers in pieces from a thread of its own.
void count_to_five(std::shared_ptr<Exchange> exchange) {
  std::thread([exchange = std::move(exchange)] {
    exchange->begin({.content_type = "text/event-stream"});
    for (int i = 1; i <= 5; ++i) exchange->write("data: " + std::to_string(i) + "\n\n");
    exchange->end();
  }).detach();
}

std::vector<Route> routes() {
  return {{"POST", "/echo", echo},
          {"GET", "/echo/{name}", echo},
          {"POST", "/count", count_to_five},
          {"GET", "/count", count_to_five},
          {"POST", "/fail",
           [](auto) { throw ApiError(400, "max_tokens is -1", "max_tokens", "bad_value"); }},
          {"POST", "/break", [](auto) { throw std::runtime_error("/home/secret"); }},
          {"POST", "/forget", [](auto) {}},
          {"POST", "/stop-short", [](auto exchange) {
             exchange->begin({});
             exchange->write("half of it");
           }}};
}

TEST(Server, AnswersARequest) {
  const RunningServer server({}, routes());
  const SeenReply reply = server.ask("POST", "/echo?a=1&b=x%20y", R"({"c": 1})");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body,
            R"({"method":"POST","path":"/echo","query":{"a":"1","b":"x y"},"body":"{\"c\": 1}"})");
  EXPECT_EQ(reply.header("content-type"), "application/json");
  EXPECT_EQ(reply.header("connection"), "keep-alive");
  EXPECT_EQ(reply.header("x-content-type-options"), "nosniff");
  EXPECT_NE(reply.header("content-security-policy").find("frame-ancestors 'none'"),
            std::string::npos);
  EXPECT_FALSE(reply.header("x-request-id").empty());
}

TEST(Server, KeepsTheRequestIdOfAProxy) {
  const RunningServer server({}, routes());
  EXPECT_EQ(server.get("/echo/a", "X-Request-Id: front-7\r\n").header("x-request-id"), "front-7");
  EXPECT_NE(server.get("/echo/a", "X-Request-Id: a b\r\n").header("x-request-id"), "a b");
}

TEST(Server, MatchesPartsOfAPath) {
  const RunningServer server({}, routes());
  EXPECT_EQ(server.get("/echo/%ED%95%9C").status, 200);
  EXPECT_EQ(server.get("/echo/").status, 404);
  EXPECT_EQ(server.get("/echo/a/b").status, 404);
  const SeenReply other = server.get("/echo");
  EXPECT_EQ(other.status, 405);
  EXPECT_EQ(other.header("allow"), "POST, OPTIONS");
}

TEST(Server, SendsPiecesAsChunks) {
  const RunningServer server({}, routes());
  const SeenReply reply = server.ask("POST", "/count", "{}");
  EXPECT_EQ(reply.header("transfer-encoding"), "chunked");
  EXPECT_EQ(reply.body, "data: 1\n\ndata: 2\n\ndata: 3\n\ndata: 4\n\ndata: 5\n\n");
}

TEST(Server, AnswersHttp10WithoutChunks) {
  const RunningServer server({}, routes());
  Client client(server.port());
  client.send("GET /count HTTP/1.0\r\n\r\n");
  const SeenReply reply = client.reply();
  EXPECT_EQ(reply.header("transfer-encoding"), "");
  EXPECT_EQ(reply.body, "data: 1\n\ndata: 2\n\ndata: 3\n\ndata: 4\n\ndata: 5\n\n");
}

TEST(Server, AnswersHeadWithoutABody) {
  const RunningServer server({}, routes());
  Client client(server.port());
  for (const char* path : {"/health", "/count", "/nowhere"}) {
    client.ask("HEAD", path);
    client.reply(true);
  }
  client.ask("GET", "/health");
  EXPECT_EQ(client.reply().body, R"({"status":"ok"})");
}

TEST(Server, AnswersPipelinedRequestsInOrder) {
  const RunningServer server({}, routes());
  Client client(server.port());
  std::string requests;
  for (int i = 0; i < 20; ++i)
    requests += concat("GET ", i % 2 ? "/count" : concat("/echo/", i),
                       " HTTP/1.1\r\nHost: localhost\r\n\r\n");
  client.send(requests);
  for (int i = 0; i < 20; ++i) {
    const SeenReply reply = client.reply();
    EXPECT_NE(reply.body.find(i % 2 ? "data: 5" : concat("\"/echo/", i, "\"")), std::string::npos);
  }
}

TEST(Server, ReadsARequestThatComesByteByByte) {
  const RunningServer server({}, routes());
  Client client(server.port());
  const std::string request =
      "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
      "Transfer-Encoding: chunked\r\n\r\n3\r\n{\"a\r\n5\r\n\": 1}\r\n0\r\n\r\n";
  for (const char c : request) client.send({&c, 1});
  EXPECT_NE(client.reply().body.find(R"("body":"{\"a\": 1}")"), std::string::npos);
}

TEST(Server, SaysContinueWhereAsked) {
  const RunningServer server({}, routes());
  Client client(server.port());
  client.send(
      "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
      "Content-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_TRUE(client.wait_for("HTTP/1.1 100 Continue\r\n\r\n"));
  client.send("{}");
  EXPECT_EQ(client.reply().status, 200);
}

TEST(Server, ShowsFailuresInOpenAisShape) {
  const RunningServer server({}, routes());
  const SeenReply bad = server.ask("POST", "/fail", "{}");
  EXPECT_EQ(bad.status, 400);
  EXPECT_NE(bad.body.find(R"("param":"max_tokens","code":"bad_value")"), std::string::npos);
  const SeenReply broken = server.ask("POST", "/break", "{}");
  EXPECT_EQ(broken.status, 500);
  EXPECT_EQ(broken.body.find("secret"), std::string::npos);
  EXPECT_EQ(server.ask("POST", "/forget", "{}").status, 500);
  EXPECT_EQ(server.get("/nowhere").status, 404);
}

TEST(Server, CutsAnAnswerThatWasNotFinished) {
  const RunningServer server({}, routes());
  Client client(server.port());
  client.ask("POST", "/stop-short", "{}");
  EXPECT_TRUE(client.is_closed_within(5));
  EXPECT_EQ(client.received().find("0\r\n\r\n"), std::string::npos);
}

TEST(Server, TellsHealthAndMetrics) {
  std::atomic<Readiness> readiness = Readiness::loading;
  const RunningServer server(
      {.readiness = [&] { return readiness.load(); }, .metrics = [] { return "tokens_total 7\n"; }},
      routes());
  EXPECT_EQ(server.get("/health").status, 503);
  EXPECT_EQ(server.get("/echo/a").status, 503);
  EXPECT_EQ(server.get("/echo/a").header("retry-after"), "1");
  readiness = Readiness::ready;
  EXPECT_EQ(server.get("/health").status, 200);
  EXPECT_EQ(server.get("/echo/a").status, 200);
  const std::string metrics = server.get("/metrics").body;
  EXPECT_NE(metrics.find("tokens_total 7\n"), std::string::npos);
  EXPECT_NE(metrics.find("malssi_http_replies_total{status=\"5xx\"} 3\n"), std::string::npos);
  EXPECT_NE(metrics.find("process_open_fds "), std::string::npos);
}

TEST(Server, LogsALineWithoutQueryKeyOrBody) {
  std::mutex mutex;
  std::string log;
  ServerOptions options = {.log = [&](std::string_view line) {
    const std::lock_guard lock(mutex);
    log += line;
  }};
  options.guard.keys.add_list("mina 0123456789abcdef0123", "test");
  {
    const RunningServer server(std::move(options), routes());
    server.ask("POST", "/echo?word=hidden", R"({"prompt": "hidden"})",
               "Authorization: Bearer 0123456789abcdef0123\r\n");
  }
  const Json line = parse_json(log, "log");
  EXPECT_EQ(line["path"], "/echo");
  EXPECT_EQ(line["owner"], "mina");
  EXPECT_EQ(line["status"], 200);
  EXPECT_EQ(line["end"], "done");
  EXPECT_EQ(log.find("hidden"), std::string::npos);
  EXPECT_EQ(log.find("0123456789"), std::string::npos);
}

TEST(Server, SaysWhoHasThePort) {
  const RunningServer first({}, routes());
  try {
    const Server second({.port = first.port()}, routes());
    FAIL() << "two servers on one port";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("--port"), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find(concat("process ", ::getpid())), std::string::npos)
        << error.what();
  }
}

TEST(Server, RefusesAHostThatIsNoAddress) {
  EXPECT_THROW(Server({.host = "example.org"}, {}), Error);
}

TEST(Server, LetsAnswersEndWhenItStops) {
  Ticker ticker;
  auto server = std::make_unique<RunningServer>(
      ServerOptions{}, std::vector<Route>{{"GET", "/tick", ticker.handler()}});
  Client idle(server->port()), client(server->port());
  client.ask("GET", "/tick");
  ASSERT_TRUE(client.wait_for("data: "));
  client.ask("GET", "/health");  // waits behind the stream
  server->server.stop();
  EXPECT_TRUE(idle.is_closed_within(2));
  EXPECT_TRUE(happens_within(2, [&] { return !Client(server->port()).is_connected(); }));
  ticker.finish_all();
  const SeenReply reply = client.reply();
  EXPECT_TRUE(reply.body.ends_with("data: [DONE]\n\n"));
  EXPECT_TRUE(client.is_closed_within(4));
}

TEST(Server, CutsWhatDoesNotEndInTime) {
  Ticker ticker;
  ServerOptions options;
  options.limits.grace_seconds = 0.2;
  RunningServer server(options, {{"GET", "/tick", ticker.handler()}});
  Client client(server.port());
  client.ask("GET", "/tick");
  ASSERT_TRUE(client.wait_for("data: "));
  server.server.stop();
  EXPECT_TRUE(client.is_closed_within(5));
  EXPECT_TRUE(happens_within(2, [&] { return ticker.open() == 0; }));
}

TEST(Server, TellsTheHandlerThatTheClientLeft) {
  Ticker ticker;
  const RunningServer server({}, {{"GET", "/tick", ticker.handler()}});
  for (const bool politely : {true, false}) {
    Client client(server.port());
    client.ask("GET", "/tick");
    ASSERT_TRUE(client.wait_for("data: "));
    EXPECT_EQ(ticker.open(), 1);
    if (politely)
      client.end_sending();
    else
      client.reset();
    EXPECT_TRUE(happens_within(2, [&] { return ticker.open() == 0; }));
  }
}

TEST(Server, KnowsThatTheClientLeftBeforeTheAnswerBegan) {
  std::shared_ptr<Exchange> kept;
  std::atomic<bool> is_kept = false;
  const RunningServer server({}, {{"GET", "/wait", [&](auto exchange) {
                                     kept = std::move(exchange);
                                     is_kept = true;
                                   }}});
  {
    Client client(server.port());
    client.ask("GET", "/wait");
    ASSERT_TRUE(happens_within(2, [&] { return is_kept.load(); }));
    EXPECT_FALSE(kept->gone());
  }
  EXPECT_TRUE(happens_within(2, [&] { return kept->gone(); }));
  kept->reply({.body = "too late"});
  kept.reset();
  EXPECT_NE(server.get("/metrics").body.find("malssi_http_left_total 1\n"), std::string::npos);
}

TEST(Server, OutlivesExchangesAndIsOutlived) {
  std::shared_ptr<Exchange> kept;
  std::atomic<bool> is_kept = false;
  {
    ServerOptions options;
    options.limits.grace_seconds = 0.05;
    RunningServer server(options, {{"GET", "/wait", [&](auto exchange) {
                                      kept = std::move(exchange);
                                      is_kept = true;
                                    }}});
    Client client(server.port());
    client.ask("GET", "/wait");
    ASSERT_TRUE(happens_within(2, [&] { return is_kept.load(); }));
    server.server.stop();
    EXPECT_TRUE(client.is_closed_within(5));
  }
  EXPECT_TRUE(kept->gone());
  kept->begin({});
  kept->write("nobody listens");
  kept->end();
}

}  // namespace
}  // namespace malssi
