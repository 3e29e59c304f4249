// Who may use the server: keys, names, pages of other origins.
#include "serve/http/guard.h"

#include <gtest/gtest.h>

#include "base/json.h"
#include "scratch.h"
#include "serve/api_error.h"
#include "serve/http/page.h"
#include "serve/http/server.h"
#include "serve/http_client.h"

namespace malssi {
namespace {

constexpr const char* kKey = "0123456789abcdef0123";

void owner(const std::shared_ptr<Exchange>& exchange) {
  exchange->reply({.body = exchange->request().owner});
}
std::vector<Route> routes() {
  return {{"POST", "/v1/chat/completions", owner},
          {"GET", "/v1/models", owner},
          {"GET", "/v1/models/{name}", owner},
          {"DELETE", "/v1/models/{name}", owner}};
}
std::string bearer(const std::string& key) { return "Authorization: Bearer " + key + "\r\n"; }

TEST(Keys, AreAskedForOnEveryRouteButHealth) {
  ServerOptions options;
  options.guard.keys.add_list(kKey, "test");
  const RunningServer server(std::move(options), routes());
  int64_t closed = 0, open = 0;
  for (const Route& route : server.server.routes()) {
    const std::string path = route.path.substr(0, route.path.find('{')) + "x";
    const std::string target = route.path.ends_with('}') ? path : route.path;
    const bool is_health = route.path == "/health";
    EXPECT_EQ(route.access == Access::open, is_health) << route.path;
    for (const std::string& headers :
         {std::string(), bearer("wrong-wrong-wrong-wrong"), bearer(""),
          bearer(kKey + std::string("x")), std::string("Authorization: Basic ") + kKey + "\r\n",
          std::string("X-Api-Key: nope\r\n"), std::string("Authorization: ") + kKey + "\r\n"}) {
      const SeenReply reply = server.ask(route.method, target, "", headers);
      EXPECT_EQ(reply.status, is_health ? 200 : 401) << route.method << ' ' << target << headers;
      EXPECT_EQ(reply.header("www-authenticate"), is_health ? "" : "Bearer") << target;
      ++(is_health ? open : closed);
    }
    EXPECT_EQ(server.ask(route.method, target, "", bearer(kKey)).status, 200) << target;
    EXPECT_EQ(server.ask(route.method, target, "", concat("X-Api-Key: ", kKey, "\r\n")).status,
              200);
  }
  EXPECT_GT(open, 0);
  EXPECT_GT(closed, 20);
}

TEST(Keys, SayWhoAsks) {
  ServerOptions options;
  options.guard.keys.add_list(
      concat("mina ", kKey, ", juno another-key-of-juno,third-key-without-name"), "test");
  const RunningServer server(std::move(options), routes());
  EXPECT_EQ(server.get("/v1/models", bearer(kKey)).body, "mina");
  EXPECT_EQ(server.get("/v1/models", bearer("another-key-of-juno")).body, "juno");
  EXPECT_EQ(server.get("/v1/models", bearer("third-key-without-name")).body, "key-3");
  EXPECT_EQ(RunningServer({}, routes()).get("/v1/models").body, "");
}

TEST(Keys, ComeFromAFile) {
  const ScratchFolder scratch;
  const fs::path file = scratch / "keys";
  write_file(file, concat("# who may ask\n\nmina\t", kKey, "\r\n  another-key-without-name\n"));
  ApiKeys keys;
  keys.add_file(file);
  EXPECT_EQ(keys.size(), 2);
  EXPECT_EQ(keys.owner_of(kKey), "mina");
  EXPECT_EQ(keys.owner_of("another-key-without-name"), "key-2");
  EXPECT_EQ(keys.owner_of("mina"), "");
  EXPECT_EQ(keys.owner_of(""), "");
}

TEST(Keys, ThatAreNoGoodAreRefusedWithoutBeingTold) {
  const ScratchFolder scratch;
  const fs::path file = scratch / "keys";
  const std::string marked = "secret";
  for (const std::string& text :
       {marked, std::string("# nothing\n"), "a " + marked + " with-many-spaces-in-it",
        marked + std::string(600, 'a'), marked + "-and-the-same\n" + marked + "-and-the-same\n"}) {
    write_file(file, text);
    ApiKeys keys;
    try {
      keys.add_file(file);
      FAIL() << text;
    } catch (const Error& error) {
      EXPECT_EQ(std::string(error.what()).find(marked), std::string::npos) << error.what();
      EXPECT_NE(std::string(error.what()).find(file.string()), std::string::npos) << error.what();
    }
  }
}

TEST(Host, MustBeOurs) {
  ServerOptions options;
  options.guard.allowed_hosts = {"models.Example.org"};
  const RunningServer server(options, routes());
  const auto status = [&](const std::string& host) {
    Client client(server.port());
    client.send(concat("GET /v1/models HTTP/1.1\r\nHost: ", host, "\r\n\r\n"));
    return client.reply().status;
  };
  for (const char* good :
       {"localhost", "LOCALHOST:8080", "127.0.0.1", "127.0.0.1:1", "[::1]:80", "[::1]",
        "models.example.org", "models.example.org.", "127.0.0.1.", "chat.localhost:3000"})
    EXPECT_EQ(status(good), 200) << good;
  for (const char* bad : {"evil.example", "localhost.evil.example", "example.org",
                          "127.0.0.1.evil.example", "10.0.0.1", "notlocalhost", "0.0.0.0", "[::2]"})
    EXPECT_EQ(status(bad), 403) << bad;
  for (const char* broken :
       {"localhost:", "localhost:abc", "localhost:123456", "[::1", "[::1]x", ":80"})
    EXPECT_EQ(status(broken), 400) << broken;
}

TEST(Host, MayBeAnyNumberWhereEveryAddressIsListenedTo) {
  const RunningServer server({.host = "0.0.0.0"}, routes());
  const auto status = [&](const std::string& host) {
    Client client(server.port());
    client.send(concat("GET /v1/models HTTP/1.1\r\nHost: ", host, "\r\n\r\n"));
    return client.reply().status;
  };
  EXPECT_EQ(status("192.168.1.7:8080"), 200);
  EXPECT_EQ(status("[fe80::1]"), 200);
  EXPECT_EQ(status("evil.example"), 403);
}

// Every way a page can ask, with and without permission: what the browser is told.
TEST(Origin, DecidesTheWholeMatrix) {
  ServerOptions options;
  options.guard.allowed_origins = {"https://friend.example"};
  const RunningServer server(options, routes());
  const std::string own = concat("http://localhost:", server.port());
  struct Case {
    std::string origin;
    bool allowed, cors;
  };
  const Case cases[] = {{"", true, false},
                        {own, true, false},
                        {"https://friend.example", true, true},
                        {"HTTPS://Friend.Example", true, true},
                        {"http://friend.example", false, false},
                        {"https://friend.example:444", false, false},
                        {"https://friend.example.evil.example", false, false},
                        {"https://evil.example", false, false},
                        {"null", false, false},
                        {"http://localhost:1", false, false},
                        {concat("file://localhost:", server.port()), false, false}};
  for (const Case& one : cases)
    for (const auto& [method, target] : {std::pair{"GET", "/v1/models"},
                                         {"POST", "/v1/chat/completions"},
                                         {"DELETE", "/v1/models/a"},
                                         {"OPTIONS", "/v1/chat/completions"},
                                         {"GET", "/health"}}) {
      Client client(server.port());
      client.send(concat(method, ' ', target, " HTTP/1.1\r\nHost: localhost:", server.port(),
                         "\r\n", one.origin.empty() ? "" : concat("Origin: ", one.origin, "\r\n"),
                         "Access-Control-Request-Method: POST\r\n"
                         "Access-Control-Request-Headers: content-type, x-stainless-os\r\n\r\n"));
      const SeenReply reply = client.reply();
      const bool preflight = method == std::string("OPTIONS");
      EXPECT_EQ(reply.status, !one.allowed ? 403 : preflight ? 204 : 200) << method << one.origin;
      EXPECT_EQ(reply.header("access-control-allow-origin"), one.cors ? one.origin : "") << method;
      EXPECT_EQ(reply.header("access-control-allow-headers"),
                preflight && one.cors ? "content-type, x-stainless-os" : "");
      EXPECT_EQ(reply.header("access-control-allow-methods"),
                preflight && one.cors ? "POST, OPTIONS" : "");
    }
}

TEST(Origin, OfAnImageOrScriptOfAnotherPageIsRefused) {
  const RunningServer server({}, routes());
  EXPECT_EQ(
      server.get("/v1/models", "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: no-cors\r\n").status,
      403);
  EXPECT_EQ(
      server.get("/v1/models", "Sec-Fetch-Site: same-origin\r\nSec-Fetch-Mode: no-cors\r\n").status,
      200);
  EXPECT_EQ(
      server.get("/health", "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\n").status,
      200);
}

TEST(Origin, OfAnyoneNeedsKeys) {
  GuardOptions options = {.allowed_origins = {"*"}};
  EXPECT_THROW(Guard{options}, Error);
  options.keys.add_list(kKey, "test");
  EXPECT_NO_THROW(Guard{options});
  EXPECT_THROW(Guard({.allowed_origins = {"friend.example"}}), Error);
  EXPECT_THROW(Guard({.allowed_origins = {"https://friend.example/page"}}), Error);
}

TEST(Page, IsOpenCompressedKeptAndShutToOthers) {
  // gzip of "<!doctype html>"
  static const std::string gzip(
      "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff\xb3\x51\x4c\xc9\x4f\x2e\xa9\x2c\x48\x55\xc8\x28\xc9"
      "\xcd"
      "\xb1\x03\x00\x48\xec\xb9\x87\x0f\x00\x00\x00",
      35);
  static const Asset asset = {"/", "text/html; charset=utf-8", gzip, "\"abc\""};
  ServerOptions options = {.page = page_routes({&asset, 1})};
  options.guard.keys.add_list(kKey, "test");
  const RunningServer server(std::move(options), routes());
  const SeenReply reply = server.get("/", "Accept-Encoding: gzip, br\r\n");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.header("content-encoding"), "gzip");
  EXPECT_EQ(reply.body, gzip);
  EXPECT_EQ(reply.header("etag"), "\"abc\"");
  EXPECT_TRUE(reply.header("content-security-policy").starts_with("default-src 'self'"));
  EXPECT_EQ(reply.header("content-security-policy").find("unsafe"), std::string::npos);
  EXPECT_EQ(reply.header("referrer-policy"), "no-referrer");
  const SeenReply again = server.get("/", "If-None-Match: \"abc\"\r\n");
  EXPECT_EQ(again.status, 304);
  EXPECT_EQ(again.body, "");
  EXPECT_EQ(server.get("/").body, "<!doctype html>");
}

}  // namespace
}  // namespace malssi
