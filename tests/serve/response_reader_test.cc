// Answers of other servers, however their bytes are cut.
#include "serve/http/response_reader.h"

#include <gtest/gtest.h>

#include "scratch.h"

namespace malssi {
namespace {

struct Answer {
  int status = 0;
  std::string body;
  bool is_done = false;  // before the connection ended
};

Answer read(const std::string& bytes, size_t step, int64_t most = 100) {
  Answer answer;
  ResponseReader reader([&](std::string_view piece) { answer.body += piece; }, most);
  for (size_t at = 0; at < bytes.size(); at += step) reader.feed(bytes.substr(at, step));
  answer.is_done = reader.is_done();
  if (!reader.is_done()) reader.end();
  answer.status = reader.status();
  return answer;
}

struct Case {
  const char* bytes;
  int status;
  const char* body;
  bool is_done;
};

TEST(ResponseReader, FindsTheEndOfEachKindOfBody) {
  for (const Case& c :
       {Case{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, "hello", true},
        Case{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\nA\r\nlo, "
             "world!\r\n0\r\n\r\n",
             200, "hello, world!", true},
        Case{"HTTP/1.1 429 Too Many\r\ncontent-length: 2\r\n\r\n{}", 429, "{}", true},
        Case{"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello", 200, "hello", false},
        Case{"HTTP/1.0 200 OK\r\n\r\nhello", 200, "hello", false},
        Case{"HTTP/1.1 204 None\r\n\r\n", 204, "", true},
        Case{"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nA: b\r\n\r\n"
             "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n.more",
             200, ".", true}}) {
    const std::string bytes = c.bytes;
    for (size_t step = 1; step <= bytes.size(); ++step) {
      const Answer answer = read(bytes, step);
      EXPECT_EQ(answer.status, c.status) << bytes;
      EXPECT_EQ(answer.body, c.body) << bytes << " in steps of " << step;
      EXPECT_EQ(answer.is_done, c.is_done) << bytes;
    }
  }
}

TEST(ResponseReader, SaysWhatIsWrong) {
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  const std::string chunked = ok + "Transfer-Encoding: chunked\r\n\r\n";
  const std::pair<std::string, const char*> wrong[] = {
      {"", "without an answer"},
      {ok, "without an answer"},
      {"SSH-2.0-OpenSSH_9.2\r\n", "does not answer in HTTP/1.1"},
      {"\x15\x03\x01", "does not answer in HTTP/1.1"},
      {ok + "Content-Length: x\r\n\r\n", "header is damaged"},
      {ok + "Content-Length: 9\r\n\r\nhello", "in the middle"},
      {ok + "Content-Length: 101\r\n\r\nhello", "too long"},
      {ok + "\r\n" + std::string(101, 'a'), "too long"},
      {ok + "X: " + std::string(70'000, 'a'), "header is too long"},
      {chunked + "5\r\nhel", "in the middle"},
      {chunked + "x\r\n", "chunks are damaged"},
      {chunked + "ffffffffffffffff\r\n", "too long"},
      {chunked + "65\r\n" + std::string(101, 'a'), "too long"},
  };
  for (const auto& [bytes, what] : wrong)
    for (const size_t step : {1, 7, 100'000}) {
      const std::string text = bytes;
      const std::string error = error_of([&] { read(text, step); });
      EXPECT_TRUE(is_one_line(error) && contains(error, what))
          << text.substr(0, 60) << ": " << error;
    }
}

}  // namespace
}  // namespace malssi
