// What a server answers, out of the bytes of its connection: header, and a body with a length, in chunks, or up to the end.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "serve/http/chunk_decoder.h"

namespace malssi {

class ResponseReader {
 public:
  // on_body gets each piece of the body; bodies beyond max_bytes are refused.
  ResponseReader(std::function<void(std::string_view)> on_body, int64_t max_bytes)
      : on_body_(std::move(on_body)), left_(max_bytes) {}

  // Throws Error: no HTTP/1.1, a header of more than 64 KiB, a damaged or too long body.
  void feed(std::string_view bytes);
  // The connection has ended. Throws Error where the answer has not.
  void end();
  bool is_done() const { return state_ == State::done; }
  int status() const { return status_; }  // 0 until the header is there

 private:
  enum class State { header, body, chunks, to_the_end, done };
  size_t feed_header(std::string_view bytes);
  void read_header();
  void feed_chunks(std::string_view bytes);

  std::function<void(std::string_view)> on_body_;
  State state_ = State::header;
  int status_ = 0;
  int64_t left_;  // of the body: at most, or exactly where its length is known
  std::string header_;
  ChunkDecoder chunks_;
};

}  // namespace malssi
