#include "serve/http/chunk_decoder.h"

#include <algorithm>

#include "serve/api_error.h"

namespace malssi {
namespace {

void expect(char wanted, char found, const char* what) {
  if (found != wanted) throw ApiError(400, std::string("bad request: ") + what);
}

}  // namespace

int64_t ChunkDecoder::feed(std::string_view bytes, std::string& body, int64_t max_bytes) {
  size_t at = 0;
  while (at < bytes.size() && state_ != State::done) {
    if (state_ != State::data) {
      take(bytes[at++], static_cast<int64_t>(body.size()), max_bytes);
      continue;
    }
    const std::string_view data = bytes.substr(at, static_cast<size_t>(left_));
    body += data;
    at += data.size();
    left_ -= static_cast<int64_t>(data.size());
    if (left_ == 0) state_ = State::data_return;
  }
  return static_cast<int64_t>(at);
}

void ChunkDecoder::take(char c, int64_t body_bytes, int64_t max_bytes) {
  switch (state_) {
    case State::size:
      if (c != '\r' || digits_ == 0) return take_digit(c, body_bytes, max_bytes);
      state_ = State::size_end;
      return;
    case State::size_end:
      expect('\n', c, "the size of a chunk does not end with CRLF");
      state_ = left_ == 0 ? State::last_return : State::data;
      digits_ = 0;
      return;
    case State::data_return:
      expect('\r', c, "a chunk is longer than its size");
      state_ = State::data_end;
      return;
    case State::data_end:
      expect('\n', c, "a chunk does not end with CRLF");
      state_ = State::size;
      return;
    case State::last_return:
      expect('\r', c, "trailers are not accepted");
      state_ = State::last_end;
      return;
    case State::last_end:
      expect('\n', c, "the last chunk does not end with CRLF");
      state_ = State::done;
      return;
    case State::data:
    case State::done:
      return;
  }
}

void ChunkDecoder::take_digit(char c, int64_t body_bytes, int64_t max_bytes) {
  const int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
  if (digit < 0 || ++digits_ > 16)
    throw ApiError(400, "bad request: the size of a chunk is not a hexadecimal number");
  left_ = left_ * 16 + digit;
  if (left_ > max_bytes - body_bytes)
    throw ApiError(413, "the body is longer than " + std::to_string(max_bytes) + " bytes");
}

}  // namespace malssi
