// What the HTTP client makes of a server's bytes.
#include <algorithm>

#include "fuzz/seeds.h"
#include "serve/http/response_reader.h"

namespace malssi::fuzz {
namespace {

constexpr int64_t kMostBody = 4096;

// What becomes of an answer: its status and body, or its refusal.
std::string read_response(std::string_view bytes, size_t step) {
  std::string body;
  ResponseReader reader([&](std::string_view piece) { body += piece; }, kMostBody);
  try {
    for (; !bytes.empty() && !reader.is_done(); bytes.remove_prefix(std::min(step, bytes.size())))
      reader.feed(bytes.substr(0, step));
    if (!reader.is_done()) reader.end();
  } catch (const Error& error) {
    return error.what();
  }
  CHECK(static_cast<int64_t>(body.size()) <= kMostBody && reader.status() >= 200,
        "an answer of status ", reader.status(), " and ", body.size(), " bytes");
  return concat(reader.status(), ' ', body);
}

}  // namespace

// However the bytes are cut, the same comes out.
void run_response(std::string_view input) {
  const std::string whole = read_response(input, std::max<size_t>(1, input.size()));
  for (const size_t step : {1, 3, 64}) {
    const std::string split = read_response(input, step);
    CHECK(split == whole, "bytes in steps of ", step, " were read as ", split, ", whole as ",
          whole);
  }
}

Seeds response_seeds() {
  const std::string begin = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n";
  return {{"good_length", begin + "Content-Length: 5\r\n\r\nhello"},
          {"good_chunked",
           begin + "Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n"},
          {"good_to_the_end", begin + "Connection: close\r\n\r\nhello"},
          {"good_continue", "HTTP/1.1 100 Continue\r\n\r\n" + begin + "Content-Length: 0\r\n\r\n"},
          {"no_content", "HTTP/1.1 204 No Content\r\n\r\n"},
          {"refusal", "HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\n{}"},
          {"old", "HTTP/1.0 200 OK\r\n\r\nhello"},
          {"other_language", "\x15\x03\x03\x00\x02\x02\x46"},
          {"cut_header", begin},
          {"cut_body", begin + "Content-Length: 50\r\n\r\nhello"},
          {"cut_chunk", begin + "Transfer-Encoding: chunked\r\n\r\n30\r\nhel"},
          {"two_lengths", begin + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello"},
          {"huge_length", begin + "Content-Length: 18446744073709551615\r\n\r\nhello"},
          {"huge_chunk", begin + "Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n"},
          {"long_header", "HTTP/1.1 200 OK\r\nX: " + repeated("a", 70000)},
          {"long_body", begin + "\r\n" + repeated("a", 5000)}};
}

}  // namespace malssi::fuzz
