// Requests that two programs in a row could read differently, and addresses that look for files. None may reach a handler that
// was not meant, and none may leave the connection in use.
#include <gtest/gtest.h>

#include <atomic>

#include "serve/api_error.h"
#include "serve/http/request_parser.h"
#include "serve/http/request_target.h"
#include "serve/http/server.h"
#include "serve/http_client.h"

namespace malssi {
namespace {

constexpr const char* kHidden = "GET /hidden HTTP/1.1\r\nHost: localhost\r\n\r\n";

const std::string kLengths[] = {"+5",
                                "-1",
                                "0x5",
                                "5 5",
                                "5,5",
                                "5, 5",
                                "",
                                " ",
                                "5\t6",
                                "1e1",
                                "5;",
                                "99999999999999999999",
                                "18446744073709551617",
                                "\"5\"",
                                "٥"};
const std::string kCodings[] = {"chunked, identity",
                                "identity, chunked",
                                "chunked, chunked",
                                "gzip, chunked",
                                "xchunked",
                                "chunked;q=1",
                                "\"chunked\"",
                                "chunked,",
                                ",chunked",
                                "chunke d",
                                "identity",
                                "gzip",
                                ""};

std::vector<std::string> header_tricks() {
  std::vector<std::string> out;
  const auto add = [&](const std::string& headers) {
    out.push_back("POST /take HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n" +
                  headers + "\r\n0\r\n\r\n" + kHidden);
  };
  for (const std::string& length : kLengths) add("Content-Length: " + length + "\r\n");
  for (const std::string& coding : kCodings) {
    add("Transfer-Encoding: " + coding + "\r\n");
    add("Content-Length: 5\r\nTransfer-Encoding: " + coding + "\r\n");
    add("Transfer-Encoding: " + coding + "\r\nContent-Length: 5\r\n");
    add("Transfer-Encoding: chunked\r\nTransfer-Encoding: " + coding + "\r\n");
  }
  for (const char* name : {"Content-Length", "Transfer-Encoding"})
    for (const char* form :
         {"%: 5", "% : 5", " %: 5", "\t%: 5", "X: a\r\n %: 5", "X: a\r\n\t%: 5", "X: a\n%: 5",
          "X: a\r%: 5", "%\t: 5", "%: 5\n", "%: 5\r", "%:\r\n 5", "%:\x0b 5", "%: 5\x01",
          "\x01%: 5", "(%): 5", "%;x: 5", "%\r\n: 5", ": 5"}) {
      std::string line = form;
      if (const size_t at = line.find('%'); at != std::string::npos) line.replace(at, 1, name);
      if (line == "Content-Length: 5") continue;  // that one is good
      add(line + "\r\n");
    }
  add("Content-Length: 5\r\nContent-Length: 5\r\n");
  add("Content-Length: 5\r\nContent-Length: 6\r\n");
  add("Authorization: a\r\nAuthorization: b\r\n");
  add("Trailer: X\r\nTransfer-Encoding: chunked\r\n");
  add("Host: localhost\r\nContent-Length: 0\r\n");
  add("Content-Type: text/plain\r\nContent-Length: 0\r\n");
  add("Content-Encoding: gzip\r\nContent-Length: 0\r\n");
  add("Expect: something\r\nContent-Length: 0\r\n");
  return out;
}

std::vector<std::string> chunk_tricks() {
  std::vector<std::string> out;
  for (const char* chunks : {"5\nhello\r\n0\r\n\r\n",
                             "5\r\nhello\n0\r\n\r\n",
                             "5\r\nhello0\r\n\r\n",
                             "+5\r\nhello\r\n0\r\n\r\n",
                             "-5\r\nhello\r\n0\r\n\r\n",
                             "0x5\r\nhello\r\n0\r\n\r\n",
                             "5 \r\nhello\r\n0\r\n\r\n",
                             "5;a=b\r\nhello\r\n0\r\n\r\n",
                             "5;\r\nhello\r\n0\r\n\r\n",
                             "5;a=\"\n\"\r\nhello\r\n0\r\n\r\n",
                             "ffffffffffffffff\r\nhello\r\n0\r\n\r\n",
                             "10000000000000005\r\nhello\r\n0\r\n\r\n",
                             "7fffffffffffffff\r\nhello\r\n0\r\n\r\n",
                             "\r\nhello\r\n0\r\n\r\n",
                             "g\r\nhello\r\n0\r\n\r\n",
                             "5\r\nhello\r\n0\r\nX: trailer\r\n\r\n",
                             "0\r\nContent-Length: 5\r\n\r\n",
                             "5\r\nhello\r\n\r\n\r\n",
                             "5\r\nhello!\r\n0\r\n\r\n",
                             "5\r\n\r\nhello\r\n0\r\n\r\n",
                             "0;a\r\n\r\n",
                             "5\rhello\r\n0\r\n\r\n"})
    out.push_back(
        concat("POST /take HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
               "Transfer-Encoding: chunked\r\n\r\n",
               chunks, kHidden));
  return out;
}

std::vector<std::string> line_tricks() {
  std::vector<std::string> out;
  for (const char* line : {"\r\nGET /take HTTP/1.1",
                           "\nGET /take HTTP/1.1",
                           " GET /take HTTP/1.1",
                           "GET  /take HTTP/1.1",
                           "GET /take  HTTP/1.1",
                           "GET\t/take HTTP/1.1",
                           "GET /take HTTP/1.1 ",
                           "GET /take",
                           "GET",
                           "",
                           "GET /take HTTP/1.1\nX: a",
                           "GET /take HTTP/1.1\r",
                           "GET /take http/1.1",
                           "GET /take HTTP/2.0",
                           "GET /take HTTP/1.2",
                           "GET /take HTTP/11",
                           "GET /take HTTP/1.",
                           "GET /ta\x01ke HTTP/1.1",
                           "GET /ta\xffke HTTP/1.1",
                           "G(T /take HTTP/1.1",
                           "GET http://localhost/take HTTP/1.1",
                           "CONNECT localhost:80 HTTP/1.1",
                           "GET take HTTP/1.1",
                           "GET /take#part HTTP/1.1",
                           "PRI * HTTP/2.0",
                           "\x16\x03\x01\x02",
                           "GET /take HTTP/1.1\r\nHost localhost"})
    out.push_back(concat(line, "\r\nHost: localhost\r\n\r\n"));
  out.emplace_back("GET /take HTTP/1.1\r\n\r\n");
  out.emplace_back("GET /take HTTP/1.1\r\nHost:\r\n\r\n");
  out.emplace_back("GET /take HTTP/1.1\r\nHost: localhost:8080x\r\n\r\n");
  out.emplace_back("GET /take HTTP/1.1\r\nHost: localhost:80:80\r\n\r\n");
  out.emplace_back("GET /take HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n");
  out.push_back(concat("GET /take HTTP/1.1\r\nHost: local", '\0', "host\r\n\r\n"));
  out.emplace_back("POST /take HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
  return out;
}

TEST(Smuggling, IsRefusedAndEndsTheConnection) {
  std::atomic<int> hidden = 0, taken = 0;
  const RunningServer server({}, {{"POST", "/take",
                                   [&](auto exchange) {
                                     ++taken;
                                     exchange->reply({});
                                   }},
                                  {"GET", "/take",
                                   [&](auto exchange) {
                                     ++taken;
                                     exchange->reply({});
                                   }},
                                  {"GET", "/hidden", [&](auto exchange) {
                                     ++hidden;
                                     exchange->reply({});
                                   }}});
  int64_t count = 0;
  for (const auto& tricks : {header_tricks(), chunk_tricks(), line_tricks()})
    for (const std::string& trick : tricks) {
      Client client(server.port());
      client.send(trick);
      client.end_sending();
      const SeenReply reply = client.reply();
      const bool refused = reply.status == 400 || reply.status == 413 || reply.status == 415 ||
                           reply.status == 417 || reply.status == 501 || reply.status == 505;
      EXPECT_TRUE(refused) << reply.status << " for\n" << trick;
      EXPECT_TRUE(client.is_closed_within(5)) << trick;
      EXPECT_EQ(client.received(), "") << trick;
      ++count;
    }
  EXPECT_EQ(hidden, 0);
  EXPECT_EQ(taken, 0);
  EXPECT_GE(count, 150);
}

TEST(Smuggling, DoesNotHideBehindABodyThatIsRefused) {
  std::atomic<int> hidden = 0;
  const RunningServer server({}, {{"GET", "/hidden", [&](auto exchange) {
                                     ++hidden;
                                     exchange->reply({});
                                   }}});
  const std::string head = concat("POST /nowhere HTTP/1.1\r\nHost: localhost\r\nContent-Length: ",
                                  std::string_view(kHidden).size(), "\r\n\r\n");
  Client whole(server.port()), late(server.port());
  whole.send(head + kHidden);
  EXPECT_EQ(whole.reply().status, 404);
  whole.ask("GET", "/health");
  EXPECT_EQ(whole.reply().status, 200);
  late.send(head);
  EXPECT_EQ(late.reply().status, 404);
  late.send(kHidden);
  EXPECT_TRUE(late.is_closed_within(5));
  EXPECT_EQ(late.received(), "");
  EXPECT_EQ(hidden, 0);
}

TEST(Traversal, LeadsNowhere) {
  const RunningServer server(
      {}, {{"GET", "/files/{name}", [](auto exchange) { exchange->reply({}); }}});
  const char* ups[] = {"..",
                       "%2e%2e",
                       "%2E.",
                       ".%2e",
                       "%252e%252e/..",
                       "..%2f..",
                       "..%5c..",
                       "..\\..",
                       "%c0%ae%c0%ae",
                       "%00",
                       "..%00",
                       "%2f",
                       "%5c",
                       "..;/..",
                       "%ff",
                       "%e0%80%ae",
                       ".",
                       "%2e",
                       "%",
                       "%2",
                       "%zz",
                       "a%0d%0ab",
                       "a%0a"};
  int64_t count = 0;
  for (const char* up : ups)
    for (const char* form : {"/%", "/%/etc/passwd", "/files/%", "/files/%/x", "/files/a/%",
                             "/%/%/%", "/files/%/%/etc/shadow", "//%", "/./%"}) {
      std::string target = form;
      for (size_t at = 0; (at = target.find('%', at)) != std::string::npos;) {
        target.replace(at, 1, up);
        at += std::string_view(up).size();
      }
      const int status = server.get(target).status;
      EXPECT_TRUE(status == 404 || status == 400) << status << " for " << target;
      ++count;
    }
  EXPECT_GE(count, 200);
}

TEST(RequestTarget, TakesAddressesApart) {
  const RequestTarget target = parse_target("/a%20b/%ED%95%9C?x=1&y=a+b%26c&&z&x=2");
  EXPECT_EQ(target.path, "/a b/한");
  EXPECT_EQ(target.query.at("x"), "2");
  EXPECT_EQ(target.query.at("y"), "a b&c");
  EXPECT_EQ(target.query.at("z"), "");
  EXPECT_THROW(parse_target("a"), ApiError);
  std::string many = "/?";
  for (int i = 0; i < 65; ++i) many += concat("a", i, "=1&");
  EXPECT_THROW(parse_target(many), ApiError);
}

// What came of a request: its parts, or the status it was refused with.
std::string outcome(std::string_view bytes, size_t step) {
  RequestParser parser(HttpLimits{});
  try {
    for (size_t at = 0; at < bytes.size() && !parser.is_done(); at += step) {
      const std::string_view part = bytes.substr(at, step);
      const int64_t taken = parser.feed(part);
      EXPECT_TRUE(parser.is_done() || taken == static_cast<int64_t>(part.size()));
    }
  } catch (const ApiError& error) {
    return std::to_string(error.status);
  }
  if (!parser.is_done()) return "unfinished";
  return parser.head().method + ' ' + parser.head().target + ' ' + parser.take_body();
}

TEST(RequestParser, DoesNotCareHowTheBytesCome) {
  for (const auto& tricks : {header_tricks(), chunk_tricks(), line_tricks()})
    for (const std::string& trick : tricks) {
      const std::string whole = outcome(trick, trick.size());
      for (const size_t step : {1, 2, 7}) EXPECT_EQ(outcome(trick, step), whole) << trick;
    }
  const std::string good =
      "POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: "
      "chunked\r\n\r\n3\r\n\r\n!\r\nA\r\n0123456789"
      "\r\n0\r\n\r\n";
  for (size_t step = 1; step <= good.size(); ++step)
    EXPECT_EQ(outcome(good, step), "POST /a \r\n!0123456789") << step;
}

}  // namespace
}  // namespace malssi
