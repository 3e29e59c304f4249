// One request out of the bytes of a connection, however they were split: header (checked strictly, see header_check.h), then
// body, with a length or in chunks. Throws ApiError for what is refused; the connection cannot be used after that, since nobody
// knows where the next request would begin.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "serve/http/chunk_decoder.h"
#include "serve/http/limits.h"

namespace malssi {

struct RequestHead {
  std::string method, target;
  std::map<std::string, std::string> headers =
      {};  // names in lower case; repeated ones joined by ", "
  bool is_1_1 = true;
  bool keep_alive = true;
  bool expects_continue = false;
  bool has_body = false;

  // The value, or nothing.
  std::string_view header(const std::string& name) const;
};

class RequestParser {
 public:
  explicit RequestParser(const HttpLimits& limits) : limits_(limits) {}

  // Takes bytes from the front and says how many; what it leaves, once it is_done(), belongs to the next request.
  int64_t feed(std::string_view bytes);
  bool has_head() const { return state_ != State::header; }
  bool is_done() const { return state_ == State::done; }
  const RequestHead& head() const { return head_; }
  // So far.
  int64_t body_bytes() const { return static_cast<int64_t>(body_.size()); }
  std::string take_body() { return std::move(body_); }

 private:
  enum class State { header, body, chunks, done };
  int64_t feed_header(std::string_view bytes);
  int64_t feed_body(std::string_view bytes);
  int64_t feed_chunks(std::string_view bytes);
  void read_header();
  void begin_body();

  HttpLimits limits_;
  State state_ = State::header;
  std::string header_, body_;
  RequestHead head_;
  int64_t left_ = 0;  // of a body with a length
  ChunkDecoder chunks_;
};

}  // namespace malssi
