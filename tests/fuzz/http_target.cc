// What the HTTP server makes of a client's bytes, before anything is done with them.
#include "fuzz/seeds.h"
#include "serve/api_error.h"
#include "serve/http/guard.h"
#include "serve/http/request_parser.h"
#include "serve/http/request_target.h"

namespace malssi::fuzz {
namespace {

constexpr HttpLimits kLimits = {.header_bytes = 2048, .header_fields = 20, .body_bytes = 4096};

// What becomes of one request: its parts, or its refusal.
struct Outcome {
  std::string text;
  int64_t taken = 0;
  bool done = false;
};

Outcome read_request(std::string_view bytes, size_t step) {
  RequestParser parser(kLimits);
  Outcome outcome;
  try {
    while (!parser.is_done() && outcome.taken < static_cast<int64_t>(bytes.size())) {
      const std::string_view part = bytes.substr(static_cast<size_t>(outcome.taken), step);
      const int64_t taken = parser.feed(part);
      CHECK(parser.is_done() || taken == static_cast<int64_t>(part.size()), "bytes were left");
      outcome.taken += taken;
    }
  } catch (const ApiError& error) {
    return {.text = concat(error.status, ' ', error.what())};
  }
  outcome.done = parser.is_done();
  if (!parser.has_head()) return outcome;
  const RequestHead& head = parser.head();
  outcome.text = concat(head.method, ' ', head.target, ' ', head.is_1_1, head.keep_alive,
                        head.expects_continue, head.has_body);
  for (const auto& [name, value] : head.headers) outcome.text += name + ':' + value + '\n';
  outcome.text += parser.take_body();
  CHECK(static_cast<int64_t>(outcome.text.size()) < 16384, "more came out than went in");
  return outcome;
}

void use_head(std::string_view bytes) {
  static const Guard guard({.allowed_origins = {"https://friend.example"}});
  RequestParser parser(kLimits);
  parser.feed(bytes);
  if (!parser.has_head()) return;
  const RequestTarget target = parse_target(parser.head().target);
  CHECK(target.path.find("/../") == std::string::npos && !target.path.ends_with("/.."),
        "a path that goes up: ", target.path);
  guard.check_host(parser.head());
  guard.check_origin(parser.head());
}

}  // namespace

// Requests, one after another, on one connection; however the bytes are cut, the same comes out.
void run_http(std::string_view input) {
  while (!input.empty()) {
    const Outcome whole = read_request(input, input.size());
    for (const size_t step : {1, 3, 64}) {
      const Outcome split = read_request(input, step);
      CHECK(split.text == whole.text && split.taken == whole.taken && split.done == whole.done,
            "bytes in steps of ", step, " were read as ", split.text, ", whole as ", whole.text);
    }
    try {
      use_head(input);
    } catch (const ApiError&) {
    }
    if (!whole.done) return;
    input.remove_prefix(static_cast<size_t>(whole.taken));
  }
}

Seeds http_seeds() {
  const std::string get =
      "GET /v1/models?limit=2&x=%ED%95%9C HTTP/1.1\r\nHost: localhost:8080\r\n\r\n";
  const std::string chunked =
      "POST /v1/chat/completions HTTP/1.1\r\nHost: [::1]\r\nOrigin: https://friend.example\r\n"
      "Transfer-Encoding: chunked\r\n\r\n3\r\n{\"a\r\n5\r\n\": 1}\r\n0\r\n\r\n";
  return {
      {"good_get", get},
      {"good_post",
       "POST /tokenize HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n{}"},
      {"good_chunked", chunked},
      {"good_pipeline", get + chunked + get},
      {"good_old", "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"},
      {"both_lengths",
       "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: "
       "chunked\r\n\r\n0\r\n\r\n"},
      {"folded", "GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n"},
      {"trailer",
       "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: a\r\n\r\n"},
      {"extension",
       "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: "
       "chunked\r\n\r\n1;a=\"b\"\r\nx\r\n0\r\n\r\n"},
      {"bare_line_feed", "GET / HTTP/1.1\nHost: a\n\n"},
      {"upward", "GET /a/%2e%2e/%2fb HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"long_header", "GET / HTTP/1.1\r\nX: " + repeated("a", 4000)},
      {"huge_chunk",
       "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n"}};
}

}  // namespace malssi::fuzz
